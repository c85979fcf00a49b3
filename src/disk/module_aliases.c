/* src/disk/module_aliases.c - modules.alias: "alias PATTERN MODULE", '-' and '_' are one. */
#include "disk/module_aliases.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"

#define ALIAS_MAX (16U << 20)

static bool is_bus(const char *pattern)
{
	static const char *const buses[] = { "pci:", "virtio:", "vmbus:" };

	for (size_t i = 0; i < ARRAY_SIZE(buses); i++)
		if (strncmp(pattern, buses[i], strlen(buses[i])) == 0)
			return true;
	return false;
}

static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

int module_aliases(const char *dir, const char *name, struct strv *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/modules.alias", dir), *text = NULL;
	char *rest, *line;
	int r = file_read_at(AT_FDCWD, path, ALIAS_MAX, &text, NULL, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *words = line, *word = strsep(&words, " "), *pattern = strsep(&words, " ");

		if (word && pattern && words && strcmp(word, "alias") == 0 && is_bus(pattern) &&
		    same_module(words, name) && !strv_has(ret, pattern))
			strv_add(ret, pattern);
	}
	return 0;
}

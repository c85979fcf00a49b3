/* src/disk/machine/words.c */
#include "disk/machine/words.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define NETWORK "strake.network="

/* The next word, without its quotes; NULL: there is none. */
static char *next(char **rest)
{
	char *at = *rest + strspn(*rest, " \t\n"), *word = at, *to = at;
	bool quoted = false;

	if (!*at)
		return NULL;
	for (; *at && (quoted || !strchr(" \t\n", *at)); at++) {
		if (*at == '"')
			quoted = !quoted;
		else
			*to++ = *at;
	}
	*rest = *at ? at + 1 : at;
	*to = '\0';
	return word;
}

void words_split(struct words *w)
{
	char *rest = w->text, *word;
	bool ours = false;

	w->n = 0;
	w->network = NULL;
	while ((word = next(&rest))) {
		/* syslinux adds its own word at the end. */
		if (ours && strncmp(word, "initrd=", 7) == 0)
			continue;
		if (ours && w->n < WORDS_MAX)
			w->arguments[w->n++] = word;
		else if (strncmp(word, NETWORK, strlen(NETWORK)) == 0)
			w->network = word + strlen(NETWORK);
		ours = ours || strcmp(word, "--") == 0;
	}
}

void words_read(struct words *w)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, w->text, sizeof(w->text) - 1);

	if (fd >= 0)
		(void)close(fd);
	w->text[n > 0 ? n : 0] = '\0';
	words_split(w);
}

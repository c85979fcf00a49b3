/* src/kernel/netns_list.c */
#include "kernel/netns_list.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"

void netns_list_done(struct netns_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].path);
		free(list->items[i].name);
	}
	free(list->items);
	*list = (struct netns_list) { .n = 0 };
}

/* Takes path; returns NULL, and frees it, if it is none or known already. */
static struct netns_item *add(struct netns_list *list, char *path)
{
	struct stat st;
	bool known = list->n == NETNS_LIST_MAX || stat(path, &st) < 0;

	for (size_t i = 0; !known && i < list->n; i++)
		known = list->items[i].ino == st.st_ino;
	if (known) {
		free(path);
		return NULL;
	}
	VEC_GROW(list->items, list->n, list->room);
	list->items[list->n] = (struct netns_item) { .ino = st.st_ino, .path = path };
	return &list->items[list->n++];
}

static void add_named(struct netns_list *list, const char *name)
{
	struct netns_item *item = add(list, xasprintf("/run/netns/%s", name));

	if (item)
		item->name = xasprintf("netns %s", name);
}

static void add_process(struct netns_list *list, const char *pid)
{
	autofree char *comm = xasprintf("/proc/%s/comm", pid), *program = NULL;
	struct netns_item *item = add(list, xasprintf("/proc/%s/ns/net", pid));

	if (!item)
		return;
	if (file_read_at(AT_FDCWD, comm, 64, &program, NULL, NULL) == 0)
		program[strcspn(program, "\n")] = '\0';
	item->pid = (pid_t)strtol(pid, NULL, 10);
	item->name = xasprintf("process %s (%s)", pid, program ? program : "?");
}

static void each_entry(const char *dir, void (*take)(struct netns_list *list, const char *name),
		       bool digits, struct netns_list *list)
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		if (digits ? isdigit((unsigned char)entry->d_name[0]) != 0
			   : entry->d_name[0] != '.')
			take(list, entry->d_name);
	(void)closedir(entries);
}

void netns_list_read(struct netns_list *ret)
{
	*ret = (struct netns_list) { .n = 0 };
	each_entry("/run/netns", add_named, false, ret);
	each_entry("/proc", add_process, true, ret);
}

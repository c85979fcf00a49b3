/* src/cmd/each.c */
#include "cmd/each.h"

#include <stdio.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "engine/container.h"

int each_container(struct engine *engine, const char *command, int argc, char **argv, each_fn fn,
		   const void *args, struct error *err)
{
	int status = 0;

	(void)err;
	for (int i = 0; i < argc; i++) {
		cleanup(container_cleanup) struct container *c = NULL;
		struct error failure = { 0 };
		int r = container_find_row(engine, argv[i], &c, &failure);

		if (r == 0)
			r = fn(engine, c, args, &failure);
		if (r < 0) {
			cmd_report(command, &failure);
			status = 1;
		} else {
			(void)puts(argv[i]);
		}
	}
	return status;
}

void each_open(struct engine *engine, const char *command, int argc, char **argv, struct each *ret)
{
	struct each each = { .command = command };

	each.words = xcalloc((size_t)argc, sizeof(*each.words));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers is meant */
	each.all = xcalloc((size_t)argc, sizeof(*each.all));
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };

		each.words[each.n] = argv[i];
		if (container_find_row(engine, argv[i], &each.all[each.n], &failure) == 0) {
			each.n++;
			continue;
		}
		cmd_report(command, &failure);
		each.status = 1;
	}
	*ret = each;
}

void each_done(void *data, size_t i, int r, const struct error *err)
{
	struct each *each = data;

	if (r < 0) {
		cmd_report(each->command, err);
		each->status = 1;
		return;
	}
	(void)puts(each->words[i]);
	(void)fflush(stdout);
}

int each_close(struct each *each)
{
	for (size_t i = 0; i < each->n; i++)
		container_free(each->all[i]);
	free(each->all);
	free(each->words);
	return each->status;
}

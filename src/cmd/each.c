/* src/cmd/each.c */
#include "cmd/each.h"

#include <stdio.h>

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
		int r = container_find(engine, argv[i], &c, &failure);

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

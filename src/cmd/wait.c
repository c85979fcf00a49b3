/* src/cmd/wait.c - strake wait */
#include <limits.h>
#include <stdio.h>

#include "base/explain.h"
#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/stop.h"

static int wait_run(struct engine *engine, const void *args, int argc, char **argv,
		    struct error *err)
{
	int result = 0;

	(void)args;
	(void)err;
	for (int i = 0; i < argc; i++) {
		cleanup(container_cleanup) struct container *c = NULL;
		struct error failure = { 0 };
		int status = 0;
		int r = container_find_row(engine, argv[i], &c, &failure);

		if (r == 0)
			r = container_wait(engine, c, &status, &failure);
		/* The words that every command has for it. */
		if (r < 0 && c && c->is_damaged) {
			cleanup(container_cleanup) struct container *again = NULL;
			struct error why = { 0 };

			if (container_find(engine, argv[i], &again, &why) < 0)
				failure = why;
		}
		if (r < 0) {
			cmd_report("wait", &failure);
			result = 1;
			continue;
		}
		if (explain_dry())
			continue;
		(void)printf("%d\n", status);
		(void)fflush(stdout);
	}
	return result;
}

const struct cmd cmd_wait = {
	.name = "wait",
	.operands = "CONTAINER...",
	.help = "Wait for the end of containers, print their exit status",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = wait_run,
};

/* src/lab/container.h - nodes that are containers: strake runs them, in the node's network and
 * among the lab's processes, so that they end with the keeper.
 */
#ifndef LAB_CONTAINER_H
#define LAB_CONTAINER_H

#include "lab/raise.h"

struct container_site {
	const char *root, *run_root; /* as given to us, or NULL */
	const char *file;            /* the lab's: relative paths are beside it */
	const char *dir;             /* the lab's */
	pid_t keeper;
};

int container_start_all(const struct raised *raised, const struct container_site *site,
			struct error *err) must_check;
/* After the keeper's end: returns when they are removed. */
void container_stop_all(const struct topology *t, const char *root, const char *run_root);

/* "strake [--root ...] exec LAB-NODE ARGV...": replaces the calling process. */
_Noreturn void container_exec(const char *name, const char *root, const char *run_root,
			      char *const *argv);

#endif

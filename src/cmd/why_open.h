/* src/cmd/why_open.h - the network namespace that a command is about. */
#ifndef CMD_WHY_OPEN_H
#define CMD_WHY_OPEN_H

#include "base/error.h"

struct cmd;
struct ruleset;
struct path;

/* container is one of ours that runs; netns a name of ip-netns(8) or a path.  With neither *ret_fd
 * is -1: our own.
 */
int why_open_netns(const void *globals, const struct cmd *cmd, const char *container,
		   const char *netns, int *ret_fd, struct error *err) must_check;

/* Draws into a file that ends in .svg or .txt, or, as text, to "-"; path may be NULL. */
int why_draw(const char *file, const struct ruleset *rs, const struct path *path,
	     struct error *err) must_check;

#endif

/* src/cmd/why_open.h - the network namespace that a command is about. */
#ifndef CMD_WHY_OPEN_H
#define CMD_WHY_OPEN_H

#include "base/error.h"

struct cmd;
struct picture;

/* container is one of ours that runs; netns a name of ip-netns(8) or a path.  With neither *ret_fd
 * is -1: our own.
 */
int why_open_netns(const void *globals, const struct cmd *cmd, const char *container,
		   const char *netns, int *ret_fd, struct error *err) must_check;

/* Draws into a file that ends in .svg or .txt, or, as text, to "-". */
int why_draw(const char *file, const struct picture *pictures, size_t n,
	     struct error *err) must_check;
/* Whether that can be drawn to, before anything else is done. */
int why_draw_check(const char *file, struct error *err) must_check;

#endif

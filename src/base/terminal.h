/* src/base/terminal.h - the user's terminal while a container's is on the other side of it.
 *
 * In raw mode every key goes to the program inside; the settings from before come back with
 * terminal_done(), which every way out must pass.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

struct terminal {
	int fd; /* -1: not in raw mode */
	struct termios before;
};
#define TERMINAL_INIT ((struct terminal) { .fd = -1 })

/* Does nothing, successfully, if fd is no terminal. */
int terminal_raw(struct terminal *t, int fd, struct error *err) must_check;
void terminal_done(struct terminal *t);

/* Of a user who wants to type (-it): an error unless standard input is a terminal. */
int terminal_need_input(struct error *err) must_check;

/* Of what was typed, all but ^P ^Q, goes to ret; true when both came.  A ^P is held back until it
 * is known what follows: *held, false before the first call.
 */
struct buf;
bool terminal_detach(bool *held, const char *bytes, size_t len, struct buf *ret);

/* Gives the window of one terminal to another; nothing if from is none. */
void terminal_copy_size(int from, int to);

#endif

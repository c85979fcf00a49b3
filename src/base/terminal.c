/* src/base/terminal.c */
#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"

#define KEY_DETACH_1 0x10 /* ^P */
#define KEY_DETACH_2 0x11 /* ^Q */

int terminal_raw(struct terminal *t, int fd, struct error *err)
{
	struct termios raw;

	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &t->before) < 0)
		return error_sys(err, -errno, "read the terminal's settings");
	raw = t->before;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return error_sys(err, -errno, "set the terminal to raw mode");
	t->fd = fd;
	return 0;
}

void terminal_done(struct terminal *t)
{
	if (t->fd >= 0)
		(void)tcsetattr(t->fd, TCSADRAIN, &t->before);
	t->fd = -1;
}

int terminal_need_input(struct error *err)
{
	if (isatty(STDIN_FILENO))
		return 0;
	return error_set(err, -ENOTTY,
			 "the input device is not a TTY; leave out -t to hand in what it holds");
}

void terminal_copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		(void)ioctl(to, TIOCSWINSZ, &size);
}

bool terminal_detach(bool *held, const char *bytes, size_t len, struct buf *ret)
{
	static const char first = KEY_DETACH_1;

	for (size_t i = 0; i < len; i++) {
		if (*held && bytes[i] == KEY_DETACH_2)
			return true;
		if (*held)
			buf_add(ret, &first, 1);
		*held = bytes[i] == first;
		if (!*held)
			buf_add(ret, &bytes[i], 1);
	}
	return false;
}

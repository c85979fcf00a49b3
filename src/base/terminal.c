/* src/base/terminal.c */
#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

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

/* src/runtime/console.c - CVE-2025-52565: the slave is taken from the master, never by its name. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/explain.h"
#include "base/socket.h"
#include "runtime/setup.h"

static int open_master(struct error *err)
{
	autoclose int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;
	int unlock = 0;

	if (master < 0)
		return error_sys(err, -errno,
				 "open /dev/pts/ptmx in the container, which a terminal needs");
	if (fstatfs(master, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return error_set(err, -ENODEV, "/dev/pts/ptmx in the container is not a devpts's");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return error_sys(err, -errno, "unlock the terminal");
	return steal_fd(&master);
}

static int mount_console(int slave, const struct rootdir *root, struct error *err)
{
	autoclose int target = -1, fd = -1;
	int r = rootdir_make(root, "/dev/console", true, ROOTDIR_NO_SYMLINKS, &target, err);

	if (r == 0)
		r = mount_clone(slave, "", false, &fd, err);
	return r < 0 ? r : mount_attach(fd, target, "/dev/console", err);
}

static void set_size(int slave, const struct spec_process *p)
{
	const struct winsize size = { .ws_row = (unsigned short)p->console_height,
				      .ws_col = (unsigned short)p->console_width };

	if (size.ws_row && size.ws_col)
		(void)ioctl(slave, TIOCSWINSZ, &size);
}

int console_open(const struct spec_process *p, int console_socket, const struct rootdir *root,
		 struct error *err)
{
	autoclose int master = -1, slave = -1;
	int r;

	master = open_master(err);
	if (master < 0)
		return master;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_sys(err, -errno, "open the terminal");
	set_size(slave, p);
	if (p->uid != 0 && fchown(slave, p->uid, (gid_t)-1) < 0)
		return error_sys(err, -errno, "give the terminal to user %u", p->uid);
	r = root ? mount_console(slave, root, err) : 0;
	if (r < 0)
		return r;
	r = socket_send_fd(console_socket, "/dev/ptmx", 9, master);
	if (r < 0)
		return error_sys(err, r, "send the terminal to the console socket");
	if (root && ioctl(slave, TIOCSCTTY, 0) < 0)
		return error_sys(err, -errno, "make the terminal the controlling one");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return error_sys(err, -errno, "put the terminal in place");
	return 0;
}

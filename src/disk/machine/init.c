/* src/disk/machine/init.c - process 1 of a machine that has no operating system but one program.
 *
 * Mounts what programs expect, loads the modules that it was given, brings the first link up,
 * starts the program with the image's environment, directory and user, reaps what ends, hands
 * signals on, and when the program has ended says its exit status and switches the machine off.
 * Static, against musl, so that it is small and needs nothing from the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk/machine/link.h"
#include "disk/machine/module.h"
#include "disk/machine/orders.h"
#include "disk/machine/say.h"

#define WORDS_MAX  4096
#define GROUPS_MAX 256

struct orders {
	char *bytes;
	size_t len;
	char *argv[WORDS_MAX + 1], *env[WORDS_MAX + 1];
	size_t argc, nenv;
	gid_t groups[GROUPS_MAX];
	size_t ngroups;
	const char *dir;
	uid_t uid;
	gid_t gid;
	bool network;
};

/* the world */

static void make_world(void)
{
	static const struct {
		const char *type, *at, *data;
		unsigned long flags;
	} mounts[] = {
		{ "proc", "/proc", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
		{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
		{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID },
		{ "devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC },
		{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
		{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV },
		{ "cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		(void)mkdir(mounts[i].at, 0755);
		/* A kernel without one of them is as it is. */
		(void)mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags,
			    mounts[i].data);
	}
	(void)mkdir("/tmp", 01777);
	(void)chmod("/tmp", 01777);
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("/proc/self/fd/0", "/dev/stdin");
	(void)symlink("/proc/self/fd/1", "/dev/stdout");
	(void)symlink("/proc/self/fd/2", "/dev/stderr");
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		return;
	(void)dup2(fd, STDIN_FILENO);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* orders */

static int read_orders(struct orders *o)
{
	int fd = open(ORDERS_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	o->bytes = malloc(ORDERS_MAX + 1);
	while (fd >= 0 && o->bytes && o->len < ORDERS_MAX && n > 0) {
		n = read(fd, o->bytes + o->len, ORDERS_MAX - o->len);
		o->len += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || !o->bytes || n < 0)
		return -1;
	o->bytes[o->len] = '\0';
	(void)close(fd);
	return 0;
}

static void follow(struct orders *o, char *value, enum order order)
{
	switch (order) {
	case ORDER_MODULE:
		module_load(value);
		break;
	case ORDER_HOSTNAME:
		(void)sethostname(value, strlen(value));
		break;
	case ORDER_NETWORK:
		o->network = true;
		break;
	case ORDER_ENV:
		if (o->nenv < WORDS_MAX)
			o->env[o->nenv++] = value;
		break;
	case ORDER_DIR:
		o->dir = value;
		break;
	case ORDER_GROUP:
		if (o->ngroups < GROUPS_MAX)
			o->groups[o->ngroups++] = (gid_t)strtoul(value, NULL, 10);
		break;
	case ORDER_GID:
		o->gid = (gid_t)strtoul(value, NULL, 10);
		break;
	case ORDER_UID:
		o->uid = (uid_t)strtoul(value, NULL, 10);
		break;
	case ORDER_ARG:
		if (o->argc < WORDS_MAX)
			o->argv[o->argc++] = value;
		break;
	}
}

static void follow_all(struct orders *o)
{
	for (size_t at = 0; at < o->len; at += strlen(o->bytes + at) + 1)
		if (o->bytes[at])
			follow(o, o->bytes + at + 1, (enum order)o->bytes[at]);
}

/* the program */

static void become(struct orders *o, const sigset_t *old)
{
	int failure;

	(void)setsid();
	(void)ioctl(STDIN_FILENO, TIOCSCTTY, 1);
	(void)sigprocmask(SIG_SETMASK, old, NULL);
	environ = o->env;
	if (chdir(o->dir) < 0)
		say("directory %s: %s", o->dir, strerror(errno));
	else if (setgroups(o->ngroups, o->groups) < 0 || setgid(o->gid) < 0 || setuid(o->uid) < 0)
		say("user %u: %s", (unsigned)o->uid, strerror(errno));
	else
		(void)execvp(o->argv[0], o->argv);
	failure = errno;
	say("%s: %s", o->argv[0], strerror(failure));
	_exit(failure == ENOENT ? 127 : 126);
}

/* The status of our own child if it was among those that ended, else -1. */
static int reap(pid_t child)
{
	int state, status = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &state, WNOHANG)) > 0)
		if (pid == child)
			status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
	return status;
}

/* ctrl-alt-del and a power button arrive as SIGINT and SIGTERM: they end the program, not us. */
static int wait_for(pid_t child, const sigset_t *all, uint32_t renew_s)
{
	for (;;) {
		const struct timespec ts = { .tv_sec = renew_s };
		int sig = renew_s ? sigtimedwait(all, NULL, &ts) : sigwaitinfo(all, NULL);
		int status = reap(child);

		if (status >= 0)
			return status;
		if (sig < 0 && errno == EAGAIN)
			renew_s = link_renew();
		else if (sig > 0 && sig != SIGCHLD)
			(void)kill(child, sig == SIGINT ? SIGTERM : sig);
	}
}

static int run(struct orders *o)
{
	uint32_t renew_s = 0;
	sigset_t all, old;
	pid_t child;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	(void)reboot(RB_DISABLE_CAD);
	if (read_orders(o) < 0) {
		say("%s cannot be read", ORDERS_PATH);
		return 126;
	}
	o->dir = "/";
	follow_all(o);
	if (o->network)
		renew_s = link_start();
	if (o->argc == 0) {
		say("nothing says what to run");
		return 127;
	}
	child = fork();
	if (child == 0)
		become(o, &old);
	return child < 0 ? 126 : wait_for(child, &all, renew_s);
}

int main(void)
{
	static struct orders orders; /* too large for a stack */
	int status;

	if (getpid() != 1) {
		(void)dprintf(STDERR_FILENO, "this is the first process of a machine\n");
		return 2;
	}
	make_world();
	open_console();
	status = run(&orders);
	say("%s ended with exit status %d", orders.argc ? orders.argv[0] : "init", status);
	/* The rest gets a word before the power goes. */
	(void)kill(-1, SIGTERM);
	sync();
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}

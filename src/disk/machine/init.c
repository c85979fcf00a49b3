/* src/disk/machine/init.c - process 1 of a machine that has no operating system but one program.
 *
 * Mounts what programs expect, loads the modules that it was given, brings the link up, starts the
 * program with the image's environment, directory and user, reaps what ends, hands signals on, and
 * when the program has ended says its exit status and switches the machine off.
 * Static, against musl, so that it is small and needs nothing from the image.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "disk/machine/clock.h"
#include "disk/machine/drivers.h"
#include "disk/machine/link.h"
#include "disk/machine/orders.h"
#include "disk/machine/power.h"
#include "disk/machine/world.h"
#include "disk/machine/say.h"
#include "disk/machine/words.h"

#define ARGV_MAX    4096
#define GROUPS_MAX  256
#define XATTR_BYTES 256
#define GRACE_MS    10000 /* between the stop signal and SIGKILL, as "stop" has it */
#define LAST_MS     3000  /* for the rest, when the program is gone */

struct machine {
	char *bytes; /* the orders; everything points into them */
	size_t len;
	struct words words;
	struct drivers drivers;
	struct link link;
	char *argv[ARGV_MAX + WORDS_MAX + 1], *env[ARGV_MAX + 1];
	size_t argc, entries, nenv;
	gid_t groups[GROUPS_MAX];
	size_t ngroups;
	const char *dir;
	uid_t uid;
	gid_t gid;
	int stop_signal;
	bool failed; /* an order that cannot be done without */
	sigset_t inherited;
	int signals;
	pid_t child;
	int64_t kill_ms; /* when it is killed, 0: nobody asked it to end */
	struct pollfd power[POWER_FDS_MAX];
	size_t npower;
};

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

/* "security.capability 0100... /bin/ping" */
static void set_attribute(char *value)
{
	char *hex = strchr(value, ' '), *path = hex ? strchr(hex + 1, ' ') : NULL;
	unsigned char bytes[XATTR_BYTES];
	size_t n = 0;

	if (!path)
		return;
	*hex++ = *path++ = '\0';
	for (; hex[2 * n] && hex[2 * n + 1] && n < sizeof(bytes); n++) {
		const char digits[3] = { hex[2 * n], hex[2 * n + 1], '\0' };

		bytes[n] = (unsigned char)strtoul(digits, NULL, 16);
	}
	if (lsetxattr(path, value, bytes, n, 0) < 0)
		say("%s of %s: %s", value, path, strerror(errno));
}

static void bind_volume(char *value)
{
	char *at = strchr(value, ' ');

	if (!at)
		return;
	*at++ = '\0';
	volume_bind(value, at);
}

static void add_dns(struct machine *m, const char *value)
{
	unsigned char bytes[16];
	int family = strchr(value, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, value, bytes) == 1)
		resolver_add(&m->link.resolver, FROM_ORDERS, family, bytes);
}

/* orders */

static int read_orders(struct machine *m)
{
	int fd = open(ORDERS_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	m->bytes = malloc(ORDERS_MAX + 1);
	while (fd >= 0 && m->bytes && m->len < ORDERS_MAX && n > 0) {
		n = read(fd, m->bytes + m->len, ORDERS_MAX - m->len);
		m->len += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || !m->bytes || n < 0)
		return -1;
	m->bytes[m->len] = '\0';
	(void)close(fd);
	return 0;
}

static void follow_link(struct machine *m, char *value, enum order order)
{
	struct link *l = &m->link;

	if (order == ORDER_NETWORK)
		l->dhcp = true;
	else if (order == ORDER_INTERFACE)
		(void)snprintf(l->name, sizeof(l->name), "%s", value);
	else if (order == ORDER_ADDRESS && l->naddresses < LINK_ADDRESSES_MAX)
		l->addresses[l->naddresses++] = value;
	else if (order == ORDER_GATEWAY && l->ngateways < 2)
		l->gateways[l->ngateways++] = value;
	else if (order == ORDER_DNS)
		add_dns(m, value);
}

static void follow_disk(struct machine *m, char *value, enum order order)
{
	if (order == ORDER_ROOT) {
		m->failed = m->failed || !world_move(value, &m->drivers);
		world_make();
	} else if (order == ORDER_VOLUMES) {
		m->failed = m->failed || !volumes_mount(value, &m->drivers);
	} else {
		bind_volume(value);
	}
}

static void follow_user(struct machine *m, const char *value, enum order order)
{
	unsigned long number = strtoul(value, NULL, 10);

	if (order == ORDER_UID)
		m->uid = (uid_t)number;
	else if (order == ORDER_GID)
		m->gid = (gid_t)number;
	else if (m->ngroups < GROUPS_MAX)
		m->groups[m->ngroups++] = (gid_t)number;
}

static void follow(struct machine *m, char *value, enum order order)
{
	switch (order) {
	case ORDER_XATTR:
		set_attribute(value);
		break;
	case ORDER_ROOT:
	case ORDER_VOLUMES:
	case ORDER_VOLUME:
		follow_disk(m, value, order);
		break;
	case ORDER_HOSTNAME:
		(void)sethostname(value, strlen(value));
		break;
	case ORDER_NETWORK:
	case ORDER_INTERFACE:
	case ORDER_ADDRESS:
	case ORDER_GATEWAY:
	case ORDER_DNS:
		follow_link(m, value, order);
		break;
	case ORDER_ENV:
		if (m->nenv < ARGV_MAX)
			m->env[m->nenv++] = value;
		break;
	case ORDER_DIR:
		m->dir = value;
		break;
	case ORDER_GROUP:
	case ORDER_GID:
	case ORDER_UID:
		follow_user(m, value, order);
		break;
	case ORDER_STOP:
		m->stop_signal = (int)strtoul(value, NULL, 10);
		break;
	case ORDER_ENTRY:
	case ORDER_ARG:
		if (m->argc < ARGV_MAX)
			m->argv[m->argc++] = value;
		m->entries += order == ORDER_ENTRY;
		break;
	case ORDER_IF:
	case ORDER_ALWAYS:
	case ORDER_MODULE:
	case ORDER_DISK_MODULE:
	case ORDER_SHARE_MODULE:
	case ORDER_LATE_MODULE:
		break;
	}
}

static void follow_all(struct machine *m)
{
	for (size_t at = 0; at < m->len; at += strlen(m->bytes + at) + 1) {
		char order = m->bytes[at];

		if (order != ORDER_XATTR && order != ORDER_VOLUME)
			follow(m, m->bytes + at + 1, (enum order)order);
	}
}

/* Those that take their values apart, and so are gone through once more from the end. */
static void follow_rest(struct machine *m)
{
	size_t next;

	for (size_t at = 0; at < m->len; at = next) {
		next = at + strlen(m->bytes + at) + 1;
		if (m->bytes[at] == ORDER_XATTR || m->bytes[at] == ORDER_VOLUME)
			follow(m, m->bytes + at + 1, (enum order)m->bytes[at]);
	}
}

/* What the loader's user typed behind "--" stands in place of the image's CMD. */
static void heed_words(struct machine *m)
{
	struct link *l = &m->link;

	words_read(&m->words);
	if (m->words.n)
		m->argc = m->entries;
	for (size_t i = 0; i < m->words.n; i++)
		m->argv[m->argc++] = m->words.arguments[i];
	if (!m->words.network)
		return;
	l->naddresses = l->ngateways = 0;
	l->dhcp = strcmp(m->words.network, "none") != 0;
	if (l->dhcp && strcmp(m->words.network, "dhcp") != 0)
		(void)snprintf(l->name, sizeof(l->name), "%s", m->words.network);
}

/* the program */

static void become(struct machine *m)
{
	int failure;

	(void)setsid();
	(void)ioctl(STDIN_FILENO, TIOCSCTTY, 1);
	(void)sigprocmask(SIG_SETMASK, &m->inherited, NULL);
	environ = m->env;
	world_make_path(m->dir); /* as "run" does */
	if (chdir(m->dir) < 0) {
		say("directory %s: %s", m->dir, strerror(errno));
		_exit(126);
	}
	if (setgroups(m->ngroups, m->groups) < 0 || setgid(m->gid) < 0 || setuid(m->uid) < 0) {
		say("user %u: %s", (unsigned)m->uid, strerror(errno));
		_exit(126);
	}
	(void)execvp(m->argv[0], m->argv);
	failure = errno;
	say("%s: %s", m->argv[0], strerror(failure));
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

static void ask_to_end(struct machine *m)
{
	(void)kill(m->child, m->stop_signal);
	if (!m->kill_ms)
		m->kill_ms = now_ms() + GRACE_MS;
}

/* ctrl-alt-del arrives as SIGINT; it and SIGTERM end the program, not us. */
static void hear_signal(struct machine *m)
{
	struct signalfd_siginfo info;

	if (read(m->signals, &info, sizeof(info)) != (ssize_t)sizeof(info) ||
	    info.ssi_signo == SIGCHLD)
		return;
	if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM || info.ssi_signo == SIGPWR)
		ask_to_end(m);
	else
		(void)kill(m->child, (int)info.ssi_signo);
}

/* Milliseconds until something is due; -1: nothing is. */
static int wait_ms(const struct machine *m)
{
	int link = link_wait_ms(&m->link);
	int64_t left = m->kill_ms - now_ms();

	if (!m->kill_ms)
		return link;
	left = left < 0 ? 0 : left;
	return link >= 0 && link < left ? link : (int)left;
}

static void wait_once(struct machine *m)
{
	struct pollfd fds[3 + POWER_FDS_MAX] = { { .fd = m->signals, .events = POLLIN },
						 { .fd = m->link.sock, .events = POLLIN },
						 { .fd = m->link.router, .events = POLLIN } };

	memcpy(fds + 3, m->power, m->npower * sizeof(fds[0]));
	(void)poll(fds, 3 + m->npower, wait_ms(m));
	if (fds[0].revents)
		hear_signal(m);
	if (fds[1].revents)
		link_hear_server(&m->link);
	if (fds[2].revents)
		link_hear_router(&m->link);
	for (size_t i = 0; i < m->npower; i++)
		if (fds[3 + i].revents && power_pressed(fds[3 + i].fd))
			ask_to_end(m);
	link_tick(&m->link);
	if (m->kill_ms && now_ms() >= m->kill_ms) {
		(void)kill(m->child, SIGKILL);
		m->kill_ms = now_ms() + GRACE_MS;
	}
}

static int live(struct machine *m)
{
	int status;

	drivers_load(&m->drivers, ORDER_LATE_MODULE);
	m->npower = power_open(m->power);
	while ((status = reap(m->child)) < 0)
		if (!drivers_load_disk(&m->drivers))
			wait_once(m);
	return status;
}

static int prepare(struct machine *m)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &m->inherited);
	m->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	(void)reboot(RB_DISABLE_CAD);
	m->link.sock = m->link.router = -1;
	m->dir = "/";
	m->stop_signal = SIGTERM;
	if (read_orders(m) < 0) {
		say("%s cannot be read", ORDERS_PATH);
		return 126;
	}
	m->drivers.orders = m->bytes;
	m->drivers.len = m->len;
	drivers_load(&m->drivers, ORDER_MODULE);
	follow_all(m);
	follow_rest(m);
	if (m->failed)
		return 126;
	heed_words(m);
	if (shares_are_there()) {
		drivers_load(&m->drivers, ORDER_SHARE_MODULE);
		shares_mount();
	}
	link_start(&m->link);
	if (m->argc == 0)
		say("nothing says what to run");
	return m->argc == 0 ? 127 : 0;
}

static int run(struct machine *m)
{
	int status = prepare(m);

	if (status)
		return status;
	m->child = fork();
	if (m->child == 0)
		become(m);
	return m->child < 0 ? 126 : live(m);
}

/* What the program left running gets a word, and a moment. */
static void end_rest(struct machine *m)
{
	int64_t until = now_ms() + LAST_MS;
	struct pollfd fd = { .fd = m->signals, .events = POLLIN };
	struct signalfd_siginfo info;

	(void)kill(-1, SIGTERM);
	while (now_ms() < until) {
		(void)reap(-1);
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		if (poll(&fd, 1, (int)(until - now_ms())) > 0)
			(void)!read(m->signals, &info, sizeof(info));
	}
	(void)kill(-1, SIGKILL);
}

int main(void)
{
	static struct machine machine; /* too large for a stack */
	int status;

	if (getpid() != 1) {
		(void)dprintf(STDERR_FILENO, "this is the first process of a machine\n");
		return 2;
	}
	world_make();
	open_console();
	status = run(&machine);
	end_rest(&machine);
	say("%s ended with exit status %d", machine.argc ? machine.argv[0] : "init", status);
	world_end();
	power_tell_status(status);
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}

/* src/cmd/image_login.c - strake-image login, logout */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"
#include "cmd/cmd.h"
#include "cmd/registry_open.h"
#include "cmd/registry_options.h"
#include "registry/auth.h"
#include "transfer/progress.h"
#include "transfer/remote.h"

#define PASSWORD_MAX 60000
#define DEFAULT_HOST "docker.io"

/* "https://host/": what people copy out of a browser. */
static char *registry_of(int argc, char **argv)
{
	const char *text = argc > 0 ? argv[0] : DEFAULT_HOST, *scheme = strstr(text, "://");
	char *host = xstrdup(scheme ? scheme + 3 : text);
	size_t len = strlen(host);

	while (len > 0 && host[len - 1] == '/')
		host[--len] = '\0';
	return host;
}

/* What ends or stops us has to find the terminal as it was. */
static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };

struct terminal {
	struct termios before;
	sigset_t mask;
	int signals; /* readable when one of them came; -1 */
	bool hidden;
};

static int terminal_hide(struct terminal *t, const char *prompt, struct error *err)
{
	struct termios quiet = t->before;

	/* Echo first: who types as soon as the prompt stands there is not seen.  What was typed
	 * ahead stays.
	 */
	quiet.c_lflag &= ~(tcflag_t)(t->hidden ? ECHO : 0);
	if (t->hidden && tcsetattr(STDIN_FILENO, TCSANOW, &quiet) < 0)
		return error_sys(err, -errno, "switch off the terminal's echo");
	(void)fprintf(stderr, "%s: ", prompt);
	return 0;
}

static int terminal_open(struct terminal *t, const char *prompt, bool hidden, struct error *err)
{
	sigset_t set;

	t->hidden = hidden;
	t->signals = -1;
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t->before) < 0)
		return error_set(err, -EINVAL,
				 "no terminal to ask on: give --username and --password-stdin");
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		(void)sigaddset(&set, ending[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &t->mask);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return terminal_hide(t, prompt, err);
}

/* A signal that came meanwhile does its work behind this, on a terminal that is whole. */
static void terminal_restore(const struct terminal *t)
{
	if (t->hidden) {
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
		(void)fputc('\n', stderr);
	}
	(void)sigprocmask(SIG_SETMASK, &t->mask, NULL);
}

/* 1: there is something to read; 0: a signal came, and we are still here (SIGTSTP). */
static int terminal_wait(struct terminal *t, const char *prompt, struct error *err)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = t->signals, .events = POLLIN } };
	int n = TEMP_FAILURE_RETRY(poll(fds, ARRAY_SIZE(fds), -1));

	if (n < 0)
		return error_sys(err, -errno, "wait for the terminal");
	if (!(fds[1].revents & POLLIN))
		return 1;
	terminal_restore(t);
	(void)close(t->signals);
	n = terminal_open(t, prompt, t->hidden, err);
	return n < 0 ? n : 0;
}

static int read_line(const char *prompt, bool hidden, char **ret, struct error *err)
{
	struct terminal t;
	char line[4096];
	ssize_t n = -1;
	int r = terminal_open(&t, prompt, hidden, err);

	while (r == 0)
		r = terminal_wait(&t, prompt, err);
	/* One line at a time: a second one that was typed ahead stays with the terminal. */
	if (r > 0)
		n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, line, sizeof(line) - 1));
	if (t.signals >= 0) {
		terminal_restore(&t);
		(void)close(t.signals);
	}
	if (r < 0)
		return r;
	if (n <= 0)
		return error_set(err, -EINVAL, "nothing was typed");
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	*ret = xstrdup(line);
	explicit_bzero(line, sizeof(line));
	return 0;
}

static int read_password(const struct login_args *args, char **ret, struct error *err)
{
	size_t len = 0;
	int r;

	if (args->password) {
		*ret = xstrdup(args->password);
		return 0;
	}
	if (!args->password_stdin)
		return read_line("Password", true, ret, err);
	r = file_read_fd(STDIN_FILENO, "standard input", PASSWORD_MAX, ret, &len, err);
	while (r == 0 && len > 0 && strchr("\r\n", (*ret)[len - 1]))
		(*ret)[--len] = '\0';
	return r;
}

static int get_login(const struct login_args *args, const char *host, struct error *err)
{
	cleanup(credentials_done) struct credentials c = { .user = NULL };
	struct strv looked = { 0 };
	int r = auth_find(args->registry.auth_file, host, "", &c, &looked, err);

	strv_done(&looked);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "not logged in to %s", host);
	(void)puts(c.user ? c.user : "<token>");
	return 0;
}

/* The registry itself says whether they are good. */
static int try_them(const struct login_args *args, const char *host, const struct credentials *c,
		    struct error *err)
{
	cleanup(progress_cleanup) struct progress *progress = progress_new(stderr, PROGRESS_AUTO);
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	cleanup(remote_cleanup) struct remote *remote = NULL;
	autofree char *pair = xasprintf("%s:%s", c->user, c->secret);
	autofree char *plain = xstrndup(host, strcspn(host, "/"));
	struct registry_args registry = args->registry;
	struct strv hosts = { 0 };
	int r;

	registry.credentials = pair;
	strv_add(&hosts, plain);
	r = registry_open(&registry, progress, NULL, &hosts, &remote, err);
	strv_done(&hosts);
	if (r < 0)
		return r;
	return channel_call(remote_channel(remote),
			    json_pack("{s:s, s:s}", "op", "ping", "name", plain), NULL, 0, -1, &m,
			    err);
}

static int login_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct login_args *args = data;
	cleanup(credentials_done) struct credentials c = { .user = NULL };
	autofree char *host = registry_of(argc, argv), *where = NULL;
	int r = 0;

	(void)globals;
	if (args->get_login)
		return get_login(args, host, err);
	if (args->user)
		c.user = xstrdup(args->user);
	else
		r = read_line("Username", false, &c.user, err);
	if (r == 0)
		r = read_password(args, &c.secret, err);
	if (r == 0 && (!c.user || !*c.user || strchr(c.user, ':')))
		r = error_set(err, -EINVAL, "a user's name is not empty and has no ':'");
	if (r == 0)
		r = try_them(args, host, &c, err);
	if (r == 0)
		r = auth_store(args->registry.auth_file, host, &c, &where, err);
	if (r == 0)
		(void)printf("Login Succeeded; kept in %s\n", where);
	return r;
}

static int logout_run(const void *globals, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct logout_args *args = data;
	autofree char *host = registry_of(argc, argv), *where = NULL;
	int r = auth_erase(args->auth_file, host, &where, err);

	(void)globals;
	if (r == 0)
		(void)printf("Removed the login for %s from %s\n", host, where);
	return r;
}

const struct cmd cmd_image_login = {
	.name = "login",
	.operands = "[REGISTRY]",
	.help = "Keep a password for a registry",
	.opts = login_opts,
	.args_size = sizeof(struct login_args),
	.max_operands = 1,
	.run_alone = login_run,
};

const struct cmd cmd_image_logout = {
	.name = "logout",
	.operands = "[REGISTRY]",
	.help = "Forget a password for a registry",
	.opts = logout_opts,
	.args_size = sizeof(struct logout_args),
	.max_operands = 1,
	.run_alone = logout_run,
};

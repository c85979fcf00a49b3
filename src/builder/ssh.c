/* src/builder/ssh.c - the agent's protocol: draft-miller-ssh-agent. */
#include "builder/ssh.h"

#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "builder/helper.h"

#define AGENT_NAME  "agent"
#define ADD_MS      20000
#define MESSAGE_MAX (256U << 10) /* as OpenSSH */
#define CLIENTS_MAX 32
#define BACKLOG     16

#define SSH_AGENT_FAILURE             5
#define SSH_AGENTC_REQUEST_IDENTITIES 11
#define SSH_AGENTC_SIGN_REQUEST       13

/* Adding and removing keys, locking the agent, and extensions, which may do anything, are not for a
 * step.
 */
bool ssh_may_ask(unsigned char type)
{
	return type == SSH_AGENTC_REQUEST_IDENTITIES || type == SSH_AGENTC_SIGN_REQUEST;
}

int ssh_spec_parse(const char *text, char **ret_id, struct strv *ret_paths, struct error *err)
{
	size_t len = strcspn(text, "=");
	autofree char *paths = text[len] ? xstrdup(text + len + 1) : NULL;
	char *rest = paths, *path;

	if (len == 0)
		return error_set(err, -EINVAL, "--ssh '%.100s': expected default, or ID=PATH",
				 text);
	while (ret_paths && rest && (path = strsep(&rest, ",")))
		if (*path)
			strv_add(ret_paths, path);
	*ret_id = xstrndup(text, len);
	return 0;
}

/* sockets: names in a directory, whose own path may be longer than a socket's address */

static int address_of(int dir, const char *name, struct sockaddr_un *ret)
{
	int n;

	*ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
	n = dir < 0 ? snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", name)
		    : snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir,
			       name);
	return n < (int)sizeof(ret->sun_path) ? 0 : -ENAMETOOLONG;
}

static int connect_to(int dir, const char *name, int *ret)
{
	autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r = sock < 0 ? -errno : address_of(dir, name, &address);

	if (r == 0 && connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r == 0)
		*ret = steal_fd(&sock);
	return r;
}

static int listen_at(int dir, const char *name, int *ret)
{
	autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r = sock < 0 ? -errno : address_of(dir, name, &address);

	if (r == 0 && (bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		       listen(sock, BACKLOG) < 0))
		r = -errno;
	if (r == 0)
		*ret = steal_fd(&sock);
	return r;
}

/* the relay */

static bool read_all(int fd, unsigned char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, bytes, len));

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* A message with its length in front.  0: there is none. */
static size_t read_message(int fd, unsigned char *room)
{
	uint32_t len;

	if (!read_all(fd, room, sizeof(len)))
		return 0;
	memcpy(&len, room, sizeof(len));
	len = be32toh(len);
	if (len == 0 || len > MESSAGE_MAX || !read_all(fd, room + sizeof(len), len))
		return 0;
	return sizeof(len) + len;
}

static _Noreturn void serve_client(const struct ssh *ssh, int client)
{
	static const unsigned char refusal[] = { 0, 0, 0, 1, SSH_AGENT_FAILURE };
	unsigned char *room = xmalloc(sizeof(uint32_t) + MESSAGE_MAX);
	int agent = -1;
	size_t len;

	if (connect_to(ssh->dir, ssh->socket, &agent) < 0)
		_exit(1);
	while ((len = read_message(client, room)) > 0) {
		if (!ssh_may_ask(room[sizeof(uint32_t)])) {
			if (file_write_all(client, refusal, sizeof(refusal)) < 0)
				break;
			continue;
		}
		if (file_write_all(agent, room, len) < 0 ||
		    (len = read_message(agent, room)) == 0 || file_write_all(client, room, len) < 0)
			break;
	}
	_exit(0);
}

static void die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static _Noreturn void serve(const struct ssh *ssh, int sock, pid_t parent)
{
	pid_t self = getpid();
	unsigned clients = 0;

	die_with(parent);
	for (;;) {
		int client = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
		pid_t pid;

		while (clients > 0 && waitpid(-1, NULL, WNOHANG) > 0)
			clients--;
		if (client < 0 && errno != EINTR && errno != ECONNABORTED)
			_exit(1);
		if (client < 0)
			continue;
		pid = clients < CLIENTS_MAX ? fork() : -1;
		if (pid == 0) {
			die_with(self);
			serve_client(ssh, client);
		}
		clients += pid > 0;
		(void)close(client);
	}
}

int ssh_relay(struct ssh *ssh, int dir, const char *name, uid_t uid, gid_t gid, mode_t mode,
	      struct error *err)
{
	autoclose int sock = -1;
	pid_t parent = getpid();
	int r = listen_at(dir, name, &sock);

	if (r == 0 && (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		       fchmodat(dir, name, mode, 0) < 0))
		r = -errno;
	if (r == 0) {
		ssh->relay = fork();
		if (ssh->relay == 0)
			serve(ssh, sock, parent);
		r = ssh->relay < 0 ? -errno : 0;
	}
	return r < 0 ? error_sys(err, r, "make a socket for ssh keys") : 0;
}

/* an agent of ours */

static _Noreturn void agent_exec(int dir, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t parent = getppid();
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || fchdir(dir) < 0)
		_exit(126);
	die_with(parent);
	(void)execlp("ssh-agent", "ssh-agent", "-D", "-a", AGENT_NAME, (char *)NULL);
	_exit(127);
}

/* Until it says where it listens, which it does when it does. */
static int start_agent(struct ssh *ssh, int dir, struct error *err)
{
	char said[64];
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	ssh->agent = fork();
	if (ssh->agent == 0)
		agent_exec(dir, ends[1]);
	(void)close(ends[1]);
	n = ssh->agent < 0 ? -1 : TEMP_FAILURE_RETRY(read(ends[0], said, sizeof(said)));
	(void)close(ends[0]);
	if (n <= 0)
		return error_set(err, -ENOENT,
				 "--ssh: ssh-agent does not start (package openssh-client)");
	ssh->socket = xstrdup(AGENT_NAME);
	ssh->dir = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	return ssh->dir < 0 ? error_sys(err, -errno, "keep a directory open") : 0;
}

static int add_keys(const struct strv *paths, int dir, struct error *err)
{
	struct strv argv = { 0 }, env = { 0 };
	const struct helper h = { .argv = &argv,
				  .env = &env,
				  .confine = { .dir = dir, .keeps_user = true },
				  .deadline_ms = clock_monotonic_ms() + ADD_MS,
				  .package = "openssh-client" };
	int r;

	helper_env(&env);
	strv_add(&env, "SSH_AUTH_SOCK=" AGENT_NAME);
	strv_add(&env, "SSH_ASKPASS_REQUIRE=never");
	strv_add(&argv, "ssh-add");
	strv_add(&argv, "-q");
	strv_add(&argv, "--");
	for (size_t i = 0; i < paths->n; i++) {
		char *whole = realpath(paths->items[i], NULL);

		strv_take(&argv, whole ? whole : xstrdup(paths->items[i]));
	}
	r = helper_run(&h, NULL, err);
	strv_done(&argv);
	strv_done(&env);
	return r < 0 ? error_wrap(err, r, "--ssh %.200s", paths->items[0]) : 0;
}

/* opening */

static int use_socket(struct ssh *ssh, const char *path, struct error *err)
{
	char *whole;

	if (!path || !*path)
		return error_set(err, -ENOENT,
				 "--ssh: there is no agent (SSH_AUTH_SOCK is not set); "
				 "ID=FILE takes a key from a file");
	whole = realpath(path, NULL);
	if (!whole)
		return error_sys(err, -errno, "--ssh: agent %.200s", path);
	ssh->socket = whole;
	return 0;
}

static int open_paths(struct ssh *ssh, const struct strv *paths, int dir, struct error *err)
{
	struct stat st;
	int r;

	if (paths->n == 0)
		return use_socket(ssh, getenv("SSH_AUTH_SOCK"), err);
	for (size_t i = 0; i < paths->n; i++) {
		if (stat(paths->items[i], &st) < 0)
			return error_sys(err, -errno, "--ssh: %.200s", paths->items[i]);
		if (S_ISSOCK(st.st_mode) && paths->n == 1)
			return use_socket(ssh, paths->items[0], err);
		if (!S_ISREG(st.st_mode))
			return error_set(err, -EINVAL,
					 "--ssh: %.200s is neither a key nor an agent's socket",
					 paths->items[i]);
	}
	r = start_agent(ssh, dir, err);
	return r < 0 ? r : add_keys(paths, dir, err);
}

int ssh_open(const struct strv *given, const char *id, int dir, struct ssh *ret, struct error *err)
{
	struct ssh ssh = SSH_INIT;
	int r = 1;

	for (size_t i = 0; r > 0 && given && i < given->n; i++) {
		autofree char *name = NULL;
		struct strv paths = { 0 };

		r = ssh_spec_parse(given->items[i], &name, &paths, err);
		if (r == 0 && name)
			r = strcmp(name, id) == 0 ? open_paths(&ssh, &paths, dir, err) : 1;
		strv_done(&paths);
	}
	if (r == 0)
		*ret = ssh;
	else
		ssh_done(&ssh);
	return r;
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
}

void ssh_done(struct ssh *ssh)
{
	end(ssh->relay);
	end(ssh->agent);
	free(ssh->socket);
	if (ssh->dir >= 0)
		(void)close(ssh->dir);
	*ssh = SSH_INIT;
}

/* src/runtime/launch.c */
#include "runtime/launch.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"
#include "kernel/seccomp.h"
#include "runtime/launcher_bytes.h"
#include "runtime/setup.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* Linux 6.3 */
#endif
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Podman looks for "no such file or directory", "executable file not found" and "permission denied"
 * in what a runtime says.
 */
static int exec_error(const struct spec_process *p, int r, struct error *err)
{
	const char *name = p->args.items[0];

	if (r == -ENOENT || r == -ENOTDIR)
		(void)error_set(
			err, r,
			strchr(name, '/')
				? "%s: no such file or directory in the container, or its loader is missing"
				: "%s: executable file not found in the container's PATH",
			name);
	else if (r == -ENOEXEC)
		(void)error_set(err, r, "%s: not an executable for this machine", name);
	else if (r == -EACCES)
		(void)error_set(err, r,
				"%s: permission denied: a directory, not executable, or closed to "
				"user %u",
				name, p->uid);
	else
		(void)error_sys(err, r, "execute %s", name);
	if (err)
		err->status = LAUNCH_STATUS(r);
	return r;
}

/* Where execvp(3) would look; its own PATH is the container's, not ours. */
static void find_candidates(const struct spec_process *p, struct strv *ret)
{
	const char *name = p->args.items[0], *path = strv_env_get(&p->env, "PATH");
	autofree char *copy = xstrdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	char *rest = copy, *dir;

	if (strchr(name, '/')) {
		strv_add(ret, name);
		return;
	}
	while ((dir = strsep(&rest, ":")) && ret->n < LAUNCH_CANDIDATES_MAX)
		strv_addf(ret, "%s/%s", *dir ? dir : ".", name);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

int launch_check(const struct spec_process *p, struct error *err)
{
	struct strv candidates = { 0 };
	int r = -ENOENT;

	find_candidates(p, &candidates);
	for (size_t i = 0; i < candidates.n && r < 0; i++) {
		if (candidates.items[i][0] != '/' || is_program(candidates.items[i]))
			r = 0;
		else if (access(candidates.items[i], F_OK) == 0)
			r = -EACCES;
	}
	strv_done(&candidates);
	return r < 0 ? exec_error(p, r, err) : 0;
}

/* A file in memory that nobody can write to any more, root neither. */
static int launcher_open(void)
{
	autoclose int fd = -1;

	fd = memfd_create("strake-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("strake-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (file_write_all(fd, launcher_bytes, sizeof(launcher_bytes)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* pid_fd is -1 if the launcher itself becomes the program. */
static void launcher_args(const struct spec_process *p, const struct strv *candidates, int sync,
			  int pid_fd, struct strv *ret)
{
	static const int errnos[] = LAUNCH_ERRNOS;

	static_assert(ARRAY_SIZE(errnos) == LAUNCH_N_ERRNOS, "launcher.c counts them");
	strv_addf(ret, "%d", sync);
	if (pid_fd < 0)
		strv_add(ret, "-");
	else
		strv_addf(ret, "%d", pid_fd);
	strv_add(ret, p->terminal ? "t" : "-");
	strv_addf(ret, "%zu", candidates->n);
	strv_extend(ret, candidates->items, candidates->n);
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		struct error err = { 0 };

		ignore_result(exec_error(p, -errnos[i], &err));
		strv_add(ret, err.text);
	}
	strv_extend(ret, p->args.items, p->args.n);
}

/* A filter may leave nothing but execve; then the container's owner has to trust its image. */
static bool filter_lets(const struct seccomp_program *seccomp)
{
	return seccomp_allows(seccomp, SYS_execveat) && seccomp_allows(seccomp, SYS_fcntl);
}

static int exec_directly(const struct spec_process *p, const struct strv *candidates,
			 char *const *env, struct error *err)
{
	int best = -ENOENT;

	for (size_t i = 0; i < candidates->n; i++) {
		(void)execve(candidates->items[i], p->args.items, env);
		if (candidates->n == 1 || (errno != ENOENT && errno != ENOTDIR))
			best = -errno;
	}
	return exec_error(p, best, err);
}

int launch_program(const struct spec_process *p, const struct seccomp_program *seccomp, int sync,
		   struct error *err)
{
	struct strv candidates = { 0 }, args = { 0 };
	char *const nothing[] = { NULL };
	char *const *env = p->env.n ? p->env.items : nothing;
	autoclose int fd = launcher_open();
	int r;

	find_candidates(p, &candidates);
	launcher_args(p, &candidates, sync, -1, &args);
	r = identity_filter(p, seccomp, err);
	if (r == 0 && fd >= 0 && filter_lets(seccomp)) {
		(void)fcntl(sync, F_SETFD, 0);
		(void)syscall(SYS_execveat, fd, "", args.items, env, AT_EMPTY_PATH);
		/* Files in memory may be forbidden to be executed (vm.memfd_noexec). */
		(void)fcntl(sync, F_SETFD, FD_CLOEXEC);
	}
	if (r == 0)
		r = exec_directly(p, &candidates, env, err);
	strv_done(&candidates);
	strv_done(&args);
	return r;
}

bool launch_can_bear(const struct spec_process *p, const struct seccomp_program *seccomp)
{
	static const int calls[] = { SYS_clone, SYS_setsid, SYS_write, SYS_close, SYS_exit_group };
	autoclose int fd = launcher_open();
	bool can = fd >= 0 && filter_lets(seccomp);

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		can = can && seccomp_allows(seccomp, calls[i]);
	return can && (!p->terminal || seccomp_allows(seccomp, SYS_ioctl));
}

int launch_bear(const struct spec_process *p, const struct seccomp_program *seccomp, int sync,
		int pid_fd, struct error *err)
{
	cleanup(strv_done) struct strv candidates = { 0 }, args = { 0 };
	char *const nothing[] = { NULL };
	autoclose int fd = launcher_open();
	int r;

	if (fd < 0)
		return error_sys(err, fd, "make a file in memory");
	find_candidates(p, &candidates);
	launcher_args(p, &candidates, sync, pid_fd, &args);
	r = identity_filter(p, seccomp, err);
	if (r < 0)
		return r;
	if (fcntl(sync, F_SETFD, 0) < 0 || fcntl(pid_fd, F_SETFD, 0) < 0)
		return error_sys(err, -errno, "hand over a descriptor");
	(void)syscall(SYS_execveat, fd, "", args.items, p->env.n ? p->env.items : nothing,
		      AT_EMPTY_PATH);
	return error_sys(err, -errno, "execute a file in memory (sysctl vm.memfd_noexec?)");
}

/* src/runtime/identity.c - who the program is and what it may do.
 *
 * The order matters: limits while we may still raise them, the bounding set before the user
 * changes, the filter before the capabilities go if no_new_privs does not stand in for
 * CAP_SYS_ADMIN.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "kernel/mount.h"
#include "runtime/setup.h"

#define COMMAND_BYTES_MAX (4U << 20)

/* Unprivileged callers cannot raise a hard limit: what they have is given then, as a container that
 * asks for "unlimited" wants it.
 */
static int set_rlimit(const struct spec_rlimit *l, struct error *err)
{
	struct rlimit want = { .rlim_cur = l->soft, .rlim_max = l->hard }, have;

	if (setrlimit((__rlimit_resource_t)l->resource, &want) == 0)
		return 0;
	if (errno != EPERM || getrlimit((__rlimit_resource_t)l->resource, &have) < 0)
		return error_sys(err, -errno, "set resource limit %d to %llu", l->resource,
				 (unsigned long long)l->soft);
	want.rlim_max = MIN(want.rlim_max, have.rlim_max);
	want.rlim_cur = MIN(want.rlim_cur, want.rlim_max);
	if (setrlimit((__rlimit_resource_t)l->resource, &want) < 0)
		return error_sys(err, -errno, "set resource limit %d", l->resource);
	return 0;
}

int identity_prepare(const struct spec_process *p, struct error *err)
{
	char text[16];
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->nrlimits; i++)
		r = set_rlimit(&p->rlimits[i], err);
	if (r == 0 && p->has_oom_score_adj) {
		(void)snprintf(text, sizeof(text), "%d", p->oom_score_adj);
		r = file_put_at(AT_FDCWD, "/proc/self/oom_score_adj", text, err);
	}
	return r;
}

/* A pipe belongs to who made it; without this a program that is not root cannot open /dev/stdout.
 */
static void give_pipe(int fd, uid_t owner)
{
	struct stat st;

	if (owner != 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != owner)
		(void)fchown(fd, owner, (gid_t)-1);
}

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Of a mount of its own that is read-only: a device can be written to there, and nothing about it
 * be changed.  Without the right to make one we are not root outside, and our null device is none
 * of ours to change.
 */
static int null_sealed(struct error *err)
{
	const struct mount_options seal = { .set = MOUNT_ATTR_RDONLY };
	autoclose int mount = -1;
	char path[32];
	int r = mount_clone(AT_FDCWD, "/dev/null", false, &mount, NULL);

	if (r == -EPERM || r == -ENOENT)
		return -EPERM;
	if (r == 0)
		r = mount_set(mount, &seal, "/dev/null", err);
	if (r < 0)
		return error_sys(err, r, "take /dev/null along");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	r = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (r < 0 || !is_null(r))
		return error_set(err, -ENODEV, "the host's /dev/null is not the null device");
	return r;
}

int identity_null(const int stdio[3], int ret[3], struct error *err)
{
	int null = -1;

	for (int i = 0; i < 3; i++) {
		ret[i] = stdio[i];
		if (!is_null(stdio[i]))
			continue;
		if (null < 0)
			null = null_sealed(err);
		if (null < 0 && null != -EPERM)
			return null;
		if (null >= 0)
			ret[i] = null;
	}
	return 0;
}

int identity_stdio(const int stdio[3], int preserve, uid_t owner, struct error *err)
{
	int moved[3];

	/* Out of each other's way first: stdio may name 0, 1 and 2 in any order. */
	for (int i = 0; i < 3 && stdio; i++) {
		moved[i] = stdio[i] == i ? i : fcntl(stdio[i], F_DUPFD_CLOEXEC, 3 + preserve);
		if (moved[i] < 0)
			return error_sys(err, -errno, "take over descriptor %d", stdio[i]);
	}
	for (int i = 0; i < 3 && stdio; i++) {
		if (moved[i] == i ? fcntl(i, F_SETFD, 0) < 0 : dup2(moved[i], i) < 0)
			return error_sys(err, -errno, "take over descriptor %d", stdio[i]);
		give_pipe(i, owner);
	}
	for (int fd = 3; fd < 3 + preserve; fd++)
		if (fcntl(fd, F_SETFD, 0) < 0)
			return error_sys(err, -errno, "preserve descriptor %d", fd);
	/* CVE-2024-21626: nothing of ours may still be open in the program. */
	if (syscall(SYS_close_range, 3 + preserve, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return error_sys(err, -errno, "close our own descriptors");
	return 0;
}

static int set_user(const struct spec_process *p, struct error *err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_sys(err, -errno, "keep capabilities");
	if (setgroups(p->ngroups, p->groups) < 0 && (p->ngroups > 0 || errno != EPERM))
		return error_sys(err, -errno, "set additional groups");
	if (setresgid(p->gid, p->gid, p->gid) < 0)
		return error_sys(err, -errno, "become group %u", p->gid);
	if (setresuid(p->uid, p->uid, p->uid) < 0)
		return error_sys(err, -errno, "become user %u", p->uid);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return error_sys(err, -errno, "drop capabilities");
	return 0;
}

static int set_capabilities(const struct spec_process *p, struct error *err)
{
	return p->has_capabilities ? capability_apply(&p->capabilities, err) : 0;
}

/* With no_new_privs the filter is loaded last, and may be so strict that only execve is left. */
static int set_filter(const struct spec_process *p, const struct seccomp_program *seccomp,
		      bool last, struct error *err)
{
	int r;

	if (!seccomp->insns || last != p->no_new_privileges)
		return 0;
	r = last ? 0 : capability_raise(err);
	return r < 0 ? r : seccomp_enter(seccomp, err);
}

/* CVE-2024-21626: the container may have put a link there that leads to a directory which we hold
 * open.  So the kernel follows no link of /proc, and the handle is what is entered.  It takes a
 * user who may: a directory may be closed to others.
 */
static int enter_cwd(const char *cwd, struct error *err)
{
	autoclose int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	const struct rootdir inside = { .fd = top, .path = "" };
	int r = rootdir_open(&inside, cwd, ROOTDIR_PLAIN, &fd);

	if (r == 0 && fchdir(fd) < 0)
		r = -errno;
	return r < 0 ? error_sys(err, r, "change to working directory %s", cwd) : 0;
}

int identity_take(const struct spec_process *p, const struct seccomp_program *seccomp,
		  struct error *err)
{
	int r = 0;

	if (p->has_capabilities)
		r = capability_drop_bounding(p->capabilities.bounding, err);
	if (r == 0)
		r = set_user(p, err);
	if (r < 0)
		return r;
	if (p->has_umask)
		(void)umask(p->umask);
	else
		(void)umask(022);
	r = enter_cwd(p->cwd, err);
	if (r < 0)
		return r;
	r = set_filter(p, seccomp, false, err);
	if (r == 0)
		r = set_capabilities(p, err);
	if (r == 0 && p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = error_sys(err, -errno, "set no_new_privs");
	return r;
}

int identity_filter(const struct spec_process *p, const struct seccomp_program *seccomp,
		    struct error *err)
{
	return set_filter(p, seccomp, true, err);
}

/* the same as a command line */

static void add_limits(struct buf *line, const struct spec_process *p)
{
	static const char *const names[] = {
		[RLIMIT_AS] = "as",
		[RLIMIT_CORE] = "core",
		[RLIMIT_CPU] = "cpu",
		[RLIMIT_DATA] = "data",
		[RLIMIT_FSIZE] = "fsize",
		[RLIMIT_LOCKS] = "locks",
		[RLIMIT_MEMLOCK] = "memlock",
		[RLIMIT_MSGQUEUE] = "msgqueue",
		[RLIMIT_NICE] = "nice",
		[RLIMIT_NOFILE] = "nofile",
		[RLIMIT_NPROC] = "nproc",
		[RLIMIT_RSS] = "rss",
		[RLIMIT_RTPRIO] = "rtprio",
		[RLIMIT_RTTIME] = "rttime",
		[RLIMIT_SIGPENDING] = "sigpending",
		[RLIMIT_STACK] = "stack",
	};

	if (p->nrlimits == 0)
		return;
	buf_add_str(line, "prlimit");
	for (size_t i = 0; i < p->nrlimits; i++) {
		const struct spec_rlimit *l = &p->rlimits[i];

		buf_addf(line, " --%s=", names[l->resource]);
		buf_addf(line, l->soft == UINT64_MAX ? "unlimited" : "%llu",
			 (unsigned long long)l->soft);
		buf_addf(line, l->hard == UINT64_MAX ? ":unlimited" : ":%llu",
			 (unsigned long long)l->hard);
	}
	buf_add_char(line, ' ');
}

static void add_environment(struct buf *line, const struct spec_process *p)
{
	buf_add_str(line, "env -i");
	for (size_t i = 0; i < p->env.n; i++) {
		buf_add_char(line, ' ');
		buf_add_shell(line, p->env.items[i]);
	}
	buf_add_char(line, ' ');
}

static void add_groups(struct buf *line, const struct spec_process *p)
{
	buf_add_str(line, p->ngroups ? " --groups=" : " --clear-groups");
	for (size_t i = 0; i < p->ngroups; i++)
		buf_addf(line, "%s%u", i ? "," : "", p->groups[i]);
}

static void add_args(struct buf *line, const struct spec_process *p)
{
	for (size_t i = 0; i < p->args.n; i++) {
		buf_add_char(line, ' ');
		buf_add_shell(line, p->args.items[i]);
	}
}

/* setpriv(1) comes first, because the root may hold no tool.  Then unshare(1) changes root and
 * user, for which it needs capabilities that the program shall not have: a root user's inheritable
 * ones survive one execve that the bounding set would not let through.
 */
static void add_capabilities(struct buf *line, const struct spec_process *p)
{
	const uint64_t chroot_bit = 1ULL << CAP_SYS_CHROOT, setuid_bit = 1ULL << CAP_SETUID;
	uint64_t bounding = p->capabilities.bounding;
	uint64_t lent = (chroot_bit | (p->uid ? setuid_bit : 0)) & ~bounding;
	autofree char *set = capability_format(bounding), *inherited = capability_format(lent);

	if (lent)
		buf_addf(line, " --inh-caps=%s setpriv", inherited);
	buf_addf(line, " --bounding-set=%s", set);
	if (!lent)
		buf_add_str(line, " --inh-caps=-all");
}

void identity_narrate(const struct spec *spec, const struct spec_process *p,
		      const struct seccomp_program *seccomp)
{
	struct buf line = BUF_INIT(COMMAND_BYTES_MAX);

	if (explain_mode() == EXPLAIN_OFF)
		return;
	if (seccomp->insns)
		(void)explain_note(
			"%zu instructions of seccomp filter, for which there is no stock tool",
			seccomp->n);
	add_limits(&line, p);
	add_environment(&line, p);
	buf_add_str(&line, "setpriv");
	if (p->has_capabilities)
		add_capabilities(&line, p);
	if (p->gid)
		buf_addf(&line, " --regid=%u", p->gid);
	add_groups(&line, p);
	if (p->no_new_privileges)
		buf_add_str(&line, " --no-new-privs");
	buf_add_str(&line, " unshare --root=");
	buf_add_shell(&line, spec->root);
	buf_add_str(&line, " --wd=");
	buf_add_shell(&line, p->cwd);
	if (p->uid)
		buf_addf(&line, " --setuid=%u", p->uid);
	buf_add_str(&line, " --");
	add_args(&line, p);
	(void)explain("the user, what it may do, the root, the program", "exec %s",
		      buf_text(&line));
	buf_done(&line);
}

/* nsenter(1) drops all further groups when it sets one, so setpriv(1) does before it; that is no
 * way where the numbers inside are others.
 */
void identity_narrate_exec(const struct spec_process *p, const char *enter, enum narrate_exec flags)
{
	struct buf line = BUF_INIT(COMMAND_BYTES_MAX);
	const bool changes = p->uid || p->gid || p->ngroups;
	const bool outside = changes && !(flags & NARRATE_EXEC_MAPPED);

	(void)explain_note(
		"its capabilities and seccomp filter: no stock tool sets them from here");
	add_limits(&line, p);
	add_environment(&line, p);
	if (outside) {
		buf_addf(&line, "setpriv --regid=%u", p->gid);
		add_groups(&line, p);
		buf_add_char(&line, ' ');
	}
	buf_addf(&line, "%s --root --wdns=", enter);
	buf_add_shell(&line, p->cwd);
	if (changes && !outside)
		buf_addf(&line, " --setgid=%u", p->gid);
	if (changes)
		buf_addf(&line, " --setuid=%u", p->uid);
	buf_add_str(&line, " --");
	add_args(&line, p);
	if (flags & NARRATE_EXEC_DETACHED)
		(void)explain("its namespaces, the user, the program, which nobody waits for",
			      "setsid --fork %s < /dev/null > /dev/null 2>&1", buf_text(&line));
	else
		(void)explain("its namespaces, the user, the program", "exec %s", buf_text(&line));
	buf_done(&line);
}

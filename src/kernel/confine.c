/* src/kernel/confine.c */
#include "kernel/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_MAX_SIZE (64ULL << 30)

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif

#define READS                                                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                     \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                            \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                              \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define NEVER (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

bool confine_may_hide(void)
{
	static const int needed[] = { CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (geteuid() != 0 || syscall(SYS_capget, &head, data) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(data[0].effective & 1U << needed[i]))
			return false;
	return true;
}

/* The working directory goes along into the namespace; a descriptor would stay with the old one,
 * and what it has open there cannot be mounted here.
 */
static int take_place(int dir)
{
	if (fchdir(dir) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(".", CONFINE_PLACE, NULL, MS_BIND, NULL) < 0 || chdir(CONFINE_PLACE) < 0)
		return -errno;
	return 0;
}

static void allow(int rules, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };

	if (fd < 0)
		return;
	(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* A kernel without landlock leaves what the user may do. */
static void close_files(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	/* From the second version on files may go from one directory to another if that is said. */
	uint64_t moves = version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	struct landlock_ruleset_attr attr = { .handled_access_fs = READS | WRITES | NEVER | moves };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int root, null, here;

	if (rules < 0)
		return;
	root = open("/", O_PATH | O_CLOEXEC);
	null = open("/dev/null", O_PATH | O_CLOEXEC);
	here = open(".", O_PATH | O_CLOEXEC);
	allow(rules, root, READS);
	allow(rules, null, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
	allow(rules, here, READS | WRITES | moves);
	(void)syscall(SYS_landlock_restrict_self, rules, 0);
	(void)close(rules);
}

static int keep_capability(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (capability >= 0 && geteuid() == 0)
		data[0].effective = data[0].permitted = 1U << capability;
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int confine_user(void)
{
	if (geteuid() == 0 && setgroups(0, NULL) == 0 &&
	    setresgid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) == 0 &&
	    setresuid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) == 0 &&
	    setresuid(0, 0, 0) == 0)
		return -EPERM;
	return keep_capability(-1);
}

int confine_enter(const struct confine *c)
{
	const struct rlimit nothing = { 0, 0 }, file = { FILE_MAX_SIZE, FILE_MAX_SIZE };
	pid_t parent = getppid();
	int r = 0;

	(void)setrlimit(RLIMIT_CORE, &nothing);
	(void)setrlimit(RLIMIT_FSIZE, &file);
	if (c->dir >= 0)
		r = c->keeps_user ? (fchdir(c->dir) < 0 ? -errno : 0) : take_place(c->dir);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = c->keeps_user ? keep_capability(CAP_DAC_READ_SEARCH) : confine_user();
	if (r < 0)
		return r;
	close_files();
	/* Here, because a change of user switches it off; the parent may have gone before. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent ? 0 : -ESRCH;
}

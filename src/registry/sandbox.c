/* src/registry/sandbox.c */
#include "registry/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/confine.h"

void sandbox_die_with_parent(void)
{
	pid_t parent = getppid();

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have gone before. */
	if (getppid() != parent)
		_exit(1);
}

/* Names, certificates, libraries that the resolver loads late. */
static void allow_reading(int rules)
{
	static const char *const places[] = { "/etc",
					      "/usr",
					      "/lib",
					      "/lib64",
					      "/run/systemd/resolve",
					      "/run/resolvconf",
					      "/run/NetworkManager",
					      "/dev/null" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
			.parent_fd = open(places[i], O_PATH | O_CLOEXEC),
		};

		if (rule.parent_fd < 0)
			continue;
		if (i < ARRAY_SIZE(places) - 1)
			rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
		(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
		(void)close(rule.parent_fd);
	}
}

/* A kernel without landlock leaves what an unprivileged user may do. */
static void close_files(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				     LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				     LANDLOCK_ACCESS_FS_REMOVE_DIR |
				     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
	};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (rules < 0)
		return;
	allow_reading(rules);
	(void)syscall(SYS_landlock_restrict_self, rules, 0);
	(void)close(rules);
}

int sandbox_enter(struct error *err)
{
	const struct rlimit nothing = { 0, 0 };
	int r;

	(void)setrlimit(RLIMIT_CORE, &nothing);
	(void)setrlimit(RLIMIT_FSIZE, &nothing);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, -errno, "give up privileges");
	r = confine_user();
	if (r < 0)
		return error_sys(err, r, "give up root");
	close_files();
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sandbox_die_with_parent(); /* a change of user has switched it off */
	return 0;
}

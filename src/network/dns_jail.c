/* src/network/dns_jail.c */
#include "network/dns_jail.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NOBODY      65534
#define DESCRIPTORS 1024

/* The sanitizers' runtime makes calls of its own; what they watch is our code. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void set_limit(int which, rlim_t max)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) < 0)
		return;
	limit.rlim_max = MIN(limit.rlim_max, max);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(which, &limit);
}

static int drop_user(struct error *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	/* In a user namespace there may be no other user to become: then only the rights go. */
	if (geteuid() == 0) {
		(void)setgroups(0, NULL);
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
			return error_sys(err, -errno, "become group %d", NOBODY);
		if (setresuid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
			return error_sys(err, -errno, "become user %d", NOBODY);
	}
	if (syscall(SYS_capset, &head, none) < 0)
		return error_sys(err, -errno, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, -errno, "set no_new_privs");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

static int allow_calls(scmp_filter_ctx ctx)
{
	static const int plain[] = {
		SCMP_SYS(read),          SCMP_SYS(write),        SCMP_SYS(close),
		SCMP_SYS(lseek),         SCMP_SYS(fstat),        SCMP_SYS(newfstatat),
		SCMP_SYS(statx),         SCMP_SYS(recvfrom),     SCMP_SYS(sendto),
		SCMP_SYS(recvmsg),       SCMP_SYS(sendmsg),      SCMP_SYS(connect),
		SCMP_SYS(accept4),       SCMP_SYS(setsockopt),   SCMP_SYS(epoll_wait),
		SCMP_SYS(epoll_pwait),   SCMP_SYS(epoll_ctl),    SCMP_SYS(getrandom),
		SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
		SCMP_SYS(brk),           SCMP_SYS(munmap),       SCMP_SYS(mremap),
		SCMP_SYS(madvise),       SCMP_SYS(futex),        SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall),
		SCMP_SYS(exit),          SCMP_SYS(exit_group),   SCMP_SYS(getpid),
		SCMP_SYS(gettid),        SCMP_SYS(tgkill),       SCMP_SYS(fcntl),
	};
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };
	const unsigned writing = O_ACCMODE | O_CREAT | O_TRUNC;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0) /* the number of a link, for fe80::1%eth0 */
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, SIOCGIFINDEX));
	return r;
}

static int filter_calls(struct error *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? allow_calls(ctx) : -ENOMEM;

	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? error_sys(err, r, "filter system calls") : 0;
}

int dns_jail_enter(struct error *err)
{
	int r;

	set_limit(RLIMIT_NOFILE, DESCRIPTORS);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, 0);
	r = drop_user(err);
	if (r == 0)
		set_limit(RLIMIT_NPROC, 0);
	return r < 0 || SANITIZED ? r : filter_calls(err);
}

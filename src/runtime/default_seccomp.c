/* src/runtime/default_seccomp.c - which system calls a container may make.
 *
 * An allow list, as every engine has one: a call that is not in it, among them those that reach
 * outside the container's namespaces, that load code into the kernel or that have a history of
 * holes (io_uring, userfaultfd, keyrings), fails with EPERM.
 */
#include <string.h>

#include "base/json.h"
#include "base/strv.h"
#include "runtime/default_spec.h"

static const char *const always[] = {
	/* files */
	"access",
	"faccessat",
	"faccessat2",
	"open",
	"openat",
	"openat2",
	"creat",
	"close",
	"close_range",
	"read",
	"readv",
	"pread64",
	"preadv",
	"preadv2",
	"write",
	"writev",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"lseek",
	"_llseek",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"fcntl64",
	"flock",
	"fsync",
	"fdatasync",
	"sync",
	"syncfs",
	"sync_file_range",
	"sync_file_range2",
	"truncate",
	"truncate64",
	"ftruncate",
	"ftruncate64",
	"fallocate",
	"fadvise64",
	"fadvise64_64",
	"arm_fadvise64_64",
	"arm_sync_file_range",
	"readahead",
	"copy_file_range",
	"sendfile",
	"sendfile64",
	"splice",
	"tee",
	"vmsplice",
	"ioctl",
	"stat",
	"stat64",
	"lstat",
	"lstat64",
	"fstat",
	"fstat64",
	"newfstatat",
	"fstatat64",
	"statx",
	"statfs",
	"statfs64",
	"fstatfs",
	"fstatfs64",
	"ustat",
	"getdents",
	"getdents64",
	"readdir",
	"link",
	"linkat",
	"symlink",
	"symlinkat",
	"readlink",
	"readlinkat",
	"unlink",
	"unlinkat",
	"rename",
	"renameat",
	"renameat2",
	"mkdir",
	"mkdirat",
	"rmdir",
	"mknod",
	"mknodat",
	"chdir",
	"fchdir",
	"getcwd",
	"chmod",
	"fchmod",
	"fchmodat",
	"fchmodat2",
	"chown",
	"chown32",
	"fchown",
	"fchown32",
	"fchownat",
	"lchown",
	"lchown32",
	"utime",
	"utimes",
	"utimensat",
	"utimensat_time64",
	"futimesat",
	"umask",
	"getxattr",
	"lgetxattr",
	"fgetxattr",
	"setxattr",
	"lsetxattr",
	"fsetxattr",
	"listxattr",
	"llistxattr",
	"flistxattr",
	"removexattr",
	"lremovexattr",
	"fremovexattr",
	"memfd_create",
	"memfd_secret",
	"name_to_handle_at",
	"pipe",
	"pipe2",
	"inotify_init",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	"fanotify_mark",
	"cachestat",
	"statmount",
	"listmount",
	/* waiting */
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"pselect6_time64",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_ctl_old",
	"epoll_wait",
	"epoll_wait_old",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd",
	"eventfd2",
	"signalfd",
	"signalfd4",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_settime64",
	"timerfd_gettime",
	"timerfd_gettime64",
	"io_setup",
	"io_destroy",
	"io_submit",
	"io_cancel",
	"io_getevents",
	"io_pgetevents",
	"io_pgetevents_time64",
	/* memory */
	"brk",
	"mmap",
	"mmap2",
	"munmap",
	"mprotect",
	"mremap",
	"madvise",
	"process_madvise",
	"process_mrelease",
	"mincore",
	"mlock",
	"mlock2",
	"mlockall",
	"munlock",
	"munlockall",
	"msync",
	"membarrier",
	"mseal",
	"map_shadow_stack",
	"pkey_alloc",
	"pkey_free",
	"pkey_mprotect",
	"remap_file_pages",
	"rseq",
	"set_mempolicy_home_node",
	/* processes and threads */
	"fork",
	"vfork",
	"execve",
	"execveat",
	"exit",
	"exit_group",
	"wait4",
	"waitid",
	"waitpid",
	"kill",
	"tkill",
	"tgkill",
	"pidfd_open",
	"pidfd_send_signal",
	"pidfd_getfd",
	"getpid",
	"getppid",
	"gettid",
	"getpgid",
	"getpgrp",
	"setpgid",
	"getsid",
	"setsid",
	"set_tid_address",
	"set_robust_list",
	"get_robust_list",
	"futex",
	"futex_time64",
	"futex_waitv",
	"futex_wait",
	"futex_wake",
	"futex_requeue",
	"sched_yield",
	"sched_getaffinity",
	"sched_setaffinity",
	"sched_getparam",
	"sched_setparam",
	"sched_getscheduler",
	"sched_setscheduler",
	"sched_getattr",
	"sched_setattr",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"sched_rr_get_interval",
	"sched_rr_get_interval_time64",
	"getpriority",
	"setpriority",
	"ioprio_get",
	"ioprio_set",
	"getrlimit",
	"ugetrlimit",
	"setrlimit",
	"prlimit64",
	"getrusage",
	"times",
	"prctl",
	"arch_prctl",
	"modify_ldt",
	"seccomp",
	"getcpu",
	"restart_syscall",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
	"set_thread_area",
	"get_thread_area",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	/* signals */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigpending",
	"rt_sigqueueinfo",
	"rt_tgsigqueueinfo",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"rt_sigtimedwait_time64",
	"sigaltstack",
	"sigprocmask",
	"sigreturn",
	"sigaction",
	"sigpending",
	"sigsuspend",
	"signal",
	"pause",
	"alarm",
	/* users */
	"getuid",
	"getuid32",
	"geteuid",
	"geteuid32",
	"getgid",
	"getgid32",
	"getegid",
	"getegid32",
	"getresuid",
	"getresuid32",
	"getresgid",
	"getresgid32",
	"getgroups",
	"getgroups32",
	"setuid",
	"setuid32",
	"setgid",
	"setgid32",
	"setreuid",
	"setreuid32",
	"setregid",
	"setregid32",
	"setresuid",
	"setresuid32",
	"setresgid",
	"setresgid32",
	"setfsuid",
	"setfsuid32",
	"setfsgid",
	"setfsgid32",
	"setgroups",
	"setgroups32",
	"capget",
	"capset",
	/* time */
	"time",
	"gettimeofday",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_getres_time64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"nanosleep",
	"adjtimex",
	"clock_adjtime",
	"clock_adjtime64",
	"getitimer",
	"setitimer",
	"timer_create",
	"timer_delete",
	"timer_getoverrun",
	"timer_gettime",
	"timer_gettime64",
	"timer_settime",
	"timer_settime64",
	/* sockets; those of virtual machines are below */
	"socketcall",
	"socketpair",
	"bind",
	"connect",
	"listen",
	"accept",
	"accept4",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	"send",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recv",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"recvmmsg_time64",
	"shutdown",
	/* System V and POSIX messages */
	"ipc",
	"msgctl",
	"msgget",
	"msgrcv",
	"msgsnd",
	"semctl",
	"semget",
	"semop",
	"semtimedop",
	"semtimedop_time64",
	"shmat",
	"shmctl",
	"shmdt",
	"shmget",
	"mq_open",
	"mq_unlink",
	"mq_timedsend",
	"mq_timedsend_time64",
	"mq_timedreceive",
	"mq_timedreceive_time64",
	"mq_notify",
	"mq_getsetattr",
	/* the rest */
	"uname",
	"sysinfo",
	"getrandom",
	"breakpoint",
	"cacheflush",
	"set_tls",
	"riscv_flush_icache",
	"riscv_hwprobe",
	"uretprobe",
};

/* What a capability opens.  Docker's table, as the capabilities' own man page reads. */
static const struct {
	const char *cap;
	const char *const calls[34];
} with_cap[] = {
	{ "CAP_DAC_READ_SEARCH", { "open_by_handle_at" } },
	{ "CAP_SYS_ADMIN",
	  { "bpf",           "clone",         "clone3",      "fanotify_init",   "fsconfig",
	    "fsmount",       "fsopen",        "fspick",      "lookup_dcookie",  "mount",
	    "mount_setattr", "move_mount",    "open_tree",   "perf_event_open", "quotactl",
	    "quotactl_fd",   "setdomainname", "sethostname", "setns",           "syslog",
	    "umount",        "umount2",       "unshare",     "pivot_root",      "keyctl",
	    "add_key",       "request_key" } },
	{ "CAP_SYS_BOOT", { "reboot", "kexec_load", "kexec_file_load" } },
	{ "CAP_SYS_CHROOT", { "chroot" } },
	{ "CAP_SYS_MODULE", { "delete_module", "init_module", "finit_module" } },
	{ "CAP_SYS_PACCT", { "acct" } },
	{ "CAP_SYS_PTRACE", { "kcmp", "process_madvise" } },
	{ "CAP_SYS_RAWIO", { "iopl", "ioperm" } },
	{ "CAP_SYS_TIME", { "settimeofday", "stime", "clock_settime", "clock_settime64" } },
	{ "CAP_SYS_TTY_CONFIG", { "vhangup" } },
	{ "CAP_SYS_NICE",
	  { "get_mempolicy", "mbind", "set_mempolicy", "migrate_pages", "move_pages" } },
	{ "CAP_SYSLOG", { "syslog" } },
	{ "CAP_BPF", { "bpf" } },
	{ "CAP_PERFMON", { "perf_event_open" } },
};

#define CLONE_NAMESPACES 0x7e020000 /* CLONE_NEW*: namespaces are made by who runs containers */
#define AF_VSOCK_NUMBER  40         /* reaches the hypervisor past the network namespace */

static json_t *rule(json_t *names, const char *action, json_t *args)
{
	json_t *obj = json_pack("{s:o, s:s}", "names", names, "action", action);

	if (args)
		(void)json_object_set_new(obj, "args", args);
	return obj;
}

static json_t *compare(int index, json_int_t value, json_int_t second, const char *op)
{
	return json_pack("{s:i, s:I, s:I, s:s}", "index", index, "value", value, "valueTwo", second,
			 "op", op);
}

static json_t *names_always(void)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		(void)json_array_append_new(names, json_string(always[i]));
	return names;
}

static json_t *names_with_caps(const struct strv *caps)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(with_cap); i++)
		for (size_t k = 0; strv_has(caps, with_cap[i].cap) && with_cap[i].calls[k]; k++)
			(void)json_array_append_new(names, json_string(with_cap[i].calls[k]));
	return names;
}

/* personality(2) with the harmless values: Linux, uname26, SVR4's, and asking. */
static void add_personality(json_t *rules)
{
	static const json_int_t values[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		(void)json_array_append_new(
			rules, rule(json_pack("[s]", "personality"), "SCMP_ACT_ALLOW",
				    json_pack("[o]", compare(0, values[i], 0, "SCMP_CMP_EQ"))));
}

/* clone(2) without namespaces; clone3(2) hides its flags in memory, so libc is told to use clone.
 */
static void add_clone(json_t *rules)
{
	(void)json_array_append_new(rules, rule(json_pack("[s]", "clone"), "SCMP_ACT_ALLOW",
						json_pack("[o]", compare(0, CLONE_NAMESPACES, 0,
									 "SCMP_CMP_MASKED_EQ"))));
	(void)json_array_append_new(rules, json_pack("{s:[s], s:s, s:i}", "names", "clone3",
						     "action", "SCMP_ACT_ERRNO", "errnoRet", 38));
}

static json_t *architectures(void)
{
#if defined(__x86_64__)
	return json_pack("[s, s, s]", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
#elif defined(__aarch64__)
	return json_pack("[s, s]", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM");
#else
	return json_array();
#endif
}

json_t *default_seccomp(const struct strv *caps)
{
	json_t *rules = json_array(), *conditional = names_with_caps(caps);

	(void)json_array_append_new(rules, rule(names_always(), "SCMP_ACT_ALLOW", NULL));
	(void)json_array_append_new(
		rules, rule(json_pack("[s]", "socket"), "SCMP_ACT_ALLOW",
			    json_pack("[o]", compare(0, AF_VSOCK_NUMBER, 0, "SCMP_CMP_NE"))));
	add_personality(rules);
	if (!strv_has(caps, "CAP_SYS_ADMIN"))
		add_clone(rules);
	if (json_array_size(conditional) > 0)
		(void)json_array_append_new(rules, rule(conditional, "SCMP_ACT_ALLOW", NULL));
	else
		json_decref(conditional);
	return json_pack("{s:s, s:i, s:o, s:o}", "defaultAction", "SCMP_ACT_ERRNO",
			 "defaultErrnoRet", 1, "architectures", architectures(), "syscalls", rules);
}

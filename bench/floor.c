/* bench/floor.c - the least that any program must do to run another one in a container of its own.
 *
 * Usage: floor --rootfs DIR | --bind DIR | --bare FILE  WORK COMMAND [ARGUMENT...]
 *        floor --enter PID COMMAND [ARGUMENT...]
 *
 * One static process, direct calls, everything known beforehand.  Included: a control group in
 * every hierarchy, entered the quick way; new mount, process, host name, IPC, network and cgroup
 * namespaces; an overlay on DIR (or a bind mount, or a tmpfs with FILE in it); /proc; a /dev in
 * memory with six devices; pivot_root; loopback up; the host name; the default capabilities only;
 * no new privileges; exec; the wait; removal of the groups and of the layer. With --enter: the
 * namespaces of a running container, fork, exec, wait.
 *
 * Left out, and so the price of what a container system adds: options, config.json, any state on
 * disk, a name, a database, a lock; a monitor, logs, standard streams through it; seccomp; /sys,
 * devpts, mqueue, shm, masked and read-only paths; limits; links, addresses, ports; any defence
 * against what is inside (nothing hostile is looked at); any message that a person would like.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS_MAX 24
#define KEPT_CAPS  0x00000000a80425fbULL /* the default set of container systems */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

static int group_dirs[GROUPS_MAX], group_tasks[GROUPS_MAX], ngroups, group_v2 = -1;
static char group_name[32];

static void die(const char *what)
{
	dprintf(2, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void must(long r, const char *what)
{
	if (r < 0)
		die(what);
}

/* A v1 cpuset takes no process before it has CPUs and memory nodes. */
static void cpuset_fill(int above, int group, const char *name)
{
	int from = openat(above, name, O_RDONLY | O_CLOEXEC), to;
	char text[256];
	ssize_t n;

	if (from < 0)
		return;
	to = openat(group, name, O_WRONLY | O_CLOEXEC);
	n = read(from, text, sizeof(text));
	must(n, name);
	must(write(to, text, (size_t)n), name);
	close(from);
	close(to);
}

static void group_make(int root, const char *hierarchy)
{
	int dir = openat(root, hierarchy, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), mine;
	struct statfs fs;

	must(dir, hierarchy);
	must(fstatfs(dir, &fs), hierarchy);
	if ((fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC) ||
	    ngroups == GROUPS_MAX)
		return; /* the place of a hierarchy that is not mounted */
	must(mkdirat(dir, group_name, 0755), hierarchy);
	mine = openat(dir, group_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	group_dirs[ngroups] = dir;
	group_tasks[ngroups] = openat(mine, "tasks", O_WRONLY | O_CLOEXEC);
	if (group_tasks[ngroups++] < 0)
		group_v2 = mine;
	else if (strcmp(hierarchy, "cpuset") == 0) {
		cpuset_fill(dir, mine, "cpuset.cpus");
		cpuset_fill(dir, mine, "cpuset.mems");
	}
}

static void groups_make(void)
{
	int root = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	uint32_t tag; /* a pid would be the same in another pid namespace */
	DIR *dir;

	must(getrandom(&tag, sizeof(tag), 0), "getrandom");
	snprintf(group_name, sizeof(group_name), "strake-floor-%08x", tag);
	if (faccessat(root, "cgroup.procs", F_OK, 0) == 0) {
		must(mkdirat(root, group_name, 0755), "group");
		group_v2 = openat(root, group_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		group_tasks[ngroups] = -1;
		group_dirs[ngroups++] = root;
		return;
	}
	dir = fdopendir(root);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && e->d_type == DT_DIR)
			group_make(root, e->d_name);
}

static void groups_remove(void)
{
	for (int i = 0; i < ngroups; i++)
		must(unlinkat(group_dirs[i], group_name, AT_REMOVEDIR), "remove group");
}

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat st;

	must(in, from);
	must(out, to);
	must(fstat(in, &st), from);
	must(sendfile(out, in, NULL, (size_t)st.st_size), to);
	close(in);
	close(out);
}

static void root_mount(const char *kind, const char *source, const char *work)
{
	char options[1000], file[300];
	const char *name = strrchr(source, '/');

	if (strcmp(kind, "--rootfs") == 0) {
		snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work",
			 source, work, work);
		must(mount("overlay", work, "overlay", 0, options), "overlay");
	} else if (strcmp(kind, "--bind") == 0) {
		must(mount(source, work, NULL, MS_BIND | MS_REC, NULL), "bind");
	} else {
		must(mount("root", work, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"), "tmpfs");
		snprintf(file, sizeof(file), "%s/%s", work, name ? name + 1 : source);
		copy(source, file);
	}
	must(chdir(work), work);
}

static void dev_fill(void)
{
	static const struct {
		const char *name;
		unsigned int minor;
	} nodes[] = { { "dev/null", 3 },   { "dev/zero", 5 },    { "dev/full", 7 },
		      { "dev/random", 8 }, { "dev/urandom", 9 }, { "dev/tty", 0 } };

	mkdir("dev", 0755);
	must(mount("dev", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=64k"), "dev");
	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		must(mknod(nodes[i].name, S_IFCHR | 0666,
			   makedev(nodes[i].minor ? 1 : 5, nodes[i].minor)),
		     nodes[i].name);
	umask(022);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(ioctl(fd, SIOCSIFFLAGS, &request), "loopback");
	close(fd);
}

static void capabilities_drop(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = (uint32_t)KEPT_CAPS,
						    .permitted = (uint32_t)KEPT_CAPS } };

	for (int cap = 0; cap < 64; cap++)
		if (!(KEPT_CAPS >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break; /* past the kernel's last */
	must(syscall(SYS_capset, &header, data), "capabilities");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
}

static void child(const char *kind, const char *source, const char *work, char **argv)
{
	for (int i = 0; i < ngroups; i++)
		if (group_tasks[i] >= 0)
			must(write(group_tasks[i], "0", 1), "join group");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	root_mount(kind, source, work);
	mkdir("proc", 0755);
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
	dev_fill();
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "old root");
	loopback_up();
	must(sethostname("floor", 5), "host name");
	capabilities_drop();
	execv(argv[0], argv);
	die(argv[0]);
}

static int ended(pid_t pid)
{
	int status;

	must(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int enter(const char *target, char **argv)
{
	long fd = syscall(SYS_pidfd_open, atoi(target), 0);
	pid_t pid;

	must(fd, "pidfd");
	must(setns((int)fd, NAMESPACES), "enter");
	pid = fork();
	if (pid == 0) {
		capabilities_drop();
		execv(argv[0], argv);
		die(argv[0]);
	}
	return ended(pid);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = NAMESPACES, .exit_signal = SIGCHLD };
	char upper[300], work[300], inner[310];
	int status;
	long pid;

	if (argc >= 4 && strcmp(argv[1], "--enter") == 0)
		return enter(argv[2], argv + 3);
	if (argc < 5)
		return 2;
	snprintf(upper, sizeof(upper), "%s/upper", argv[3]);
	snprintf(work, sizeof(work), "%s/work", argv[3]);
	snprintf(inner, sizeof(inner), "%s/work", work);
	must(mkdir(argv[3], 0755), argv[3]);
	must(mkdir(upper, 0755), upper);
	must(mkdir(work, 0755), work);
	groups_make();
	if (group_v2 >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)group_v2;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		perror("floor: clone3");
		groups_remove();
		return 125;
	}
	if (pid == 0)
		child(argv[1], argv[2], argv[3], argv + 4);
	status = ended((pid_t)pid);
	groups_remove();
	/* Mount points that the root had not leave their folders in the upper layer. */
	for (const char *const *name = (const char *const[]) { "dev", "proc", NULL }; *name;
	     name++) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", upper, *name);
		rmdir(path);
	}
	rmdir(inner);
	rmdir(work);
	rmdir(upper);
	must(rmdir(argv[3]), argv[3]);
	return status;
}

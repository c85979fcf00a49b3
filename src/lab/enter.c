/* src/lab/enter.c */
#include "lab/enter.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "lab/container.h"
#include "lab/names.h"

static _Noreturn void stop(const char *node, const char *what, int status)
{
	(void)fprintf(stderr, "strake lab: node %s: %s: %s\n", node, what, strerror(errno));
	_exit(status);
}

/* /proc shows the lab's processes and /sys the node's links; /etc/hosts knows the other nodes. */
static void set_up_files(const struct entering *to)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		stop(to->node, "make mounts private", 126);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		stop(to->node, "mount /proc", 126);
	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		stop(to->node, "mount /sys", 126);
	/* A host without the file does without. */
	if (to->hosts)
		(void)mount(to->hosts, "/etc/hosts", NULL, MS_BIND, NULL);
	if (to->resolv && mount(to->resolv, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		stop(to->node, "put its name server into /etc/resolv.conf", 126);
}

_Noreturn void enter_and_exec(const struct entering *to, char *const *argv)
{
	sigset_t none;

	if (setns(to->netns_fd, CLONE_NEWNET) < 0)
		stop(to->node, "enter its network", 126);
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0)
		stop(to->node, "make a mount namespace", 126);
	(void)sethostname(to->node, strlen(to->node));
	set_up_files(to);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execvp(argv[0], argv);
	stop(to->node, argv[0], errno == ENOENT ? 127 : 126);
}

/* A process namespace is entered by children alone, so ours is put back: whatever else the caller
 * starts is no business of the lab.
 */
pid_t lab_fork(const struct lab *lab, struct error *err)
{
	autofree char *path = xasprintf("/proc/%d/ns/pid_for_children", lab->keeper);
	autoclose int home = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (home < 0 || fd < 0 || setns(fd, CLONE_NEWPID) < 0)
		return error_sys(err, -errno, "enter the processes of lab %s", lab->topology->name);
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "start a process of lab %s", lab->topology->name);
	if (pid > 0 && setns(home, CLONE_NEWPID) < 0)
		return error_sys(err, -errno, "leave the processes of lab %s", lab->topology->name);
	return pid;
}

static int await(pid_t pid, const char *name, struct error *err)
{
	int status = 0;

	/* What the terminal sends is for the command. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", name);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int lab_run(char *const *argv, struct error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return error_sys(err, -errno, "start %s", argv[0]);
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		stop("this host", argv[0], errno == ENOENT ? 127 : 126);
	}
	return await(pid, argv[0], err);
}

static int exec_in_container(const struct lab *lab, size_t node, char *const *argv,
			     struct error *err)
{
	autofree char *name =
		xasprintf("%s-%s", lab->topology->name, lab->topology->nodes[node].name);
	pid_t pid = fork();

	if (pid < 0)
		return error_sys(err, -errno, "start %s", argv[0]);
	if (pid == 0)
		container_exec(name, lab->root, lab->run_root, argv);
	return await(pid, argv[0], err);
}

int lab_exec(struct lab *lab, size_t node, char *const *argv, struct error *err)
{
	const struct node *n = &lab->topology->nodes[node];
	autofree char *hosts = lab_names_hosts(lab->dir, n),
		      *resolv = lab_names_resolv(lab->dir, n);
	struct entering to = { .node = n->name, .hosts = hosts, .resolv = resolv };
	pid_t pid;

	if (lab->topology->nodes[node].kind == NODE_CONTAINER)
		return exec_in_container(lab, node, argv, err);
	to.netns_fd = lab_netns(lab, node, err);
	if (to.netns_fd < 0)
		return to.netns_fd;
	pid = lab_fork(lab, err);
	if (pid < 0)
		return pid;
	if (pid == 0)
		enter_and_exec(&to, argv);
	return await(pid, argv[0], err);
}

/* src/engine/debug.c */
#include "engine/debug.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/process.h"
#include "base/strv.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"
#include "image/image.h"
#include "kernel/mount.h"
#include "kernel/mount_script.h"
#include "kernel/overlay.h"

#define NAMESPACES    (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define SCRIPT_MAX    4096
#define STATUS_MAX    65536
#define TARGET_INSIDE "/proc/1/root"

struct debug {
	const struct debug_options *options;
	const struct container *c;
	pid_t pid;
	int pidfd;
	char *place;        /* an empty directory on the host, where the tools' root is attached */
	struct strv layers; /* of the image; none: the host's tools */
	int report;         /* to our parent */
};

static int mount_fresh(const char *type, const char *where, const char *options, struct error *err)
{
	struct mount_options o = { .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	autoclose int fd = -1;
	int r;

	if (options)
		strv_add(&o.data, options);
	r = mount_new(type, type, &o, where, &fd, err);
	if (r == 0)
		r = mount_attach_at(fd, where, err);
	mount_options_done(&o);
	return r;
}

static int bind_at(const char *from, const char *where, struct error *err)
{
	autoclose int fd = -1;
	int r = mount_clone(AT_FDCWD, from, true, &fd, err);

	return r < 0 ? r : mount_attach_at(fd, where, err);
}

/* The host's tools: its file systems as they are, so that nothing typed here changes them. */
static int enter_host(struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int r;

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_sys(err, -errno, "make the host's file systems read-only");
	r = mount_fresh("proc", "/proc", NULL, err);
	return r < 0 ? r : mount_fresh("tmpfs", "/tmp", "mode=1777", err);
}

/* What an image may lack as places for mounts comes as a further layer, in memory. */
static int make_places(const struct debug *d, struct error *err)
{
	static const char *const names[] = { "proc", "tmp", "dev" };
	int r = mount_fresh("tmpfs", d->place, "mode=755", err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		autofree char *path = xasprintf("%s/%s", d->place, names[i]);

		if (mkdir(path, 0755) < 0)
			r = error_sys(err, -errno, "make %s", path);
	}
	return r;
}

static int attach_image(const struct debug *d, struct error *err)
{
	struct mount_options o = { .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOSUID };
	autofree char *joined = overlay_join(&d->layers);
	autoclose int root = -1;
	int r = make_places(d, err);

	strv_addf(&o.data, "lowerdir=%s:%s", d->place, joined);
	if (r == 0)
		r = mount_new("overlay", "strake", &o, "the tools", &root, err);
	if (r == 0)
		r = mount_attach_at(root, d->place, err);
	mount_options_done(&o);
	return r;
}

static int enter_image(const struct debug *d, struct error *err)
{
	autofree char *proc = xasprintf("%s/proc", d->place), *tmp = xasprintf("%s/tmp", d->place);
	autofree char *dev = xasprintf("%s/dev", d->place);
	int r = attach_image(d, err);

	if (r == 0)
		r = mount_fresh("proc", proc, NULL, err);
	if (r == 0)
		r = mount_fresh("tmpfs", tmp, "mode=1777", err);
	if (r == 0)
		r = bind_at("/dev", dev, err);
	if (r < 0)
		return r;
	if (chdir(d->place) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_sys(err, -errno, "enter the tools' root");
	return 0;
}

static int exec_tools(const struct debug *d, struct error *err)
{
	static const char *const shells[] = { "bash", "sh", "busybox" };
	char *const *command = d->options->command;
	int r;

	(void)setenv("TARGET", TARGET_INSIDE, 1);
	if (d->options->ncommand > 0) {
		(void)execvp(command[0], command);
		r = -errno;
		return error_sys(err, r, "execute %s from the tools", command[0]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		(void)execlp(shells[i], shells[i], strcmp(shells[i], "busybox") ? NULL : "sh",
			     (char *)NULL);
	return error_sys(err, -errno, "execute a shell from the tools");
}

/* Process 2 of ours: it is in the container's process namespace from its birth. */
static _Noreturn void inner(struct debug *d)
{
	struct error err = { 0 };
	int r = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) < 0)
		r = error_sys(&err, -errno, "make a mount namespace");
	if (r == 0)
		r = mount_propagation("/", MS_PRIVATE, true, &err);
	if (r == 0)
		r = d->layers.n ? enter_image(d, &err) : enter_host(&err);
	if (r == 0)
		r = exec_tools(d, &err);
	err.status = r == -ENOENT ? 127 : 126;
	(void)error_send(d->report, &err);
	_exit(err.status);
}

static int status_of(int state)
{
	return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

/* setns(2) with a process namespace moves our children, not us. */
static _Noreturn void outer(struct debug *d)
{
	struct error err = { 0 };
	int state = 0;
	pid_t pid;

	if (setns(d->pidfd, NAMESPACES) < 0) {
		(void)error_sys(&err, -errno, "join the namespaces of %s", d->c->name);
		(void)error_send(d->report, &err);
		_exit(125);
	}
	pid = fork();
	if (pid == 0)
		inner(d);
	(void)close(d->report);
	while (pid > 0 && waitpid(pid, &state, 0) < 0 && errno == EINTR)
		continue;
	_exit(pid < 0 ? 125 : status_of(state));
}

static void narrate(const struct debug *d)
{
	struct buf script = BUF_INIT(SCRIPT_MAX);
	autofree char *joined = overlay_join(&d->layers), *command = NULL;
	struct mount_options o = { .set = MOUNT_ATTR_RDONLY };

	if (explain_mode() == EXPLAIN_OFF)
		return;
	if (d->layers.n) {
		strv_addf(&o.data, "lowerdir=%s:%s", d->place, joined);
		command = mount_script("overlay", "overlay", &o, d->place);
		mount_options_done(&o);
		buf_addf(&script,
			 "mount -t tmpfs tmpfs %1$s; mkdir %1$s/proc %1$s/tmp %1$s/dev; %2$s; "
			 "mount -t proc proc %1$s/proc; mount -t tmpfs tmpfs %1$s/tmp; "
			 "mount --rbind /dev %1$s/dev; cd %1$s; pivot_root . .; umount -l .; exec ",
			 d->place, command);
	} else {
		buf_add_str(&script, "mount -o remount,bind,ro /; mount -t proc proc /proc; "
				     "mount -t tmpfs tmpfs /tmp; exec ");
	}
	for (size_t i = 0; i < d->options->ncommand; i++)
		buf_addf(&script, "%s%s", i ? " " : "", sq(d->options->command[i]));
	if (d->options->ncommand == 0)
		buf_add_str(&script, "sh");
	(void)explain("tools from outside beside the container's processes; its root is at "
		      "/proc/1/root",
		      "nsenter --target %d --pid --net --ipc --uts --cgroup -- unshare --mount sh "
		      "-c %s",
		      d->pid, sq(buf_text(&script)));
	buf_done(&script);
}

static int start(struct debug *d, struct error *err)
{
	autoclose int from = -1;
	struct error failure = { 0 };
	int ends[2], state = 0, got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	from = ends[0];
	d->report = ends[1];
	pid = fork();
	if (pid == 0)
		outer(d);
	(void)close(ends[1]);
	if (pid < 0)
		return error_sys(err, -errno, "start a process");
	got = error_receive(from, &failure);
	while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
		continue;
	if (got <= 0)
		return status_of(state);
	if (err)
		*err = failure;
	return failure.code;
}

static int choose_tools(struct engine *engine, struct debug *d, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	autofree char *dir = NULL;
	int r;

	if (!d->options->image)
		return 0;
	r = image_find(engine->db, engine->root_fd, d->options->image, &image, err);
	if (r < 0)
		return r;
	image_lower_dirs(engine->root, image, &d->layers);
	dir = container_dir(engine, d->c->id);
	d->place = xasprintf("%s/merged", dir);
	return 0;
}

/* Its processes may have CAP_SYS_PTRACE, and then what runs beside them is theirs: the tools' root,
 * which is the host's, and their rights.  One that has CAP_SYS_ADMIN, too, is trusted with the host
 * anyway.
 */
static int refuse_tracer(const struct container *c, pid_t pid, struct error *err)
{
	const uint64_t trace = UINT64_C(1) << CAP_SYS_PTRACE, admin = UINT64_C(1) << CAP_SYS_ADMIN;
	autofree char *path = xasprintf("/proc/%d/status", pid), *text = NULL;
	const char *line;
	uint64_t bounding;
	int r = file_read_at(AT_FDCWD, path, STATUS_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	line = strstr(text, "\nCapBnd:");
	bounding = line ? strtoull(line + strlen("\nCapBnd:"), NULL, 16) : UINT64_MAX;
	if ((bounding & (trace | admin)) != trace)
		return 0;
	return error_set(err, -EPERM,
			 "container %s has CAP_SYS_PTRACE: its processes could take over the "
			 "tools beside them, and with them this host; use 'strake exec', or "
			 "'nsenter' if you trust them",
			 c->name);
}

int container_debug(struct engine *engine, const struct container *c,
		    const struct debug_options *options, struct error *err)
{
	struct debug d = { .options = options, .c = c, .pidfd = -1, .report = -1 };
	struct status status = { .pid = 0 };
	int r = status_read(engine, c->id, &status, err);

	if (r == 0 && status.kind != STATUS_RUNNING)
		r = error_set(err, -ESRCH, "container %s does not run", c->name);
	d.pid = status.pid;
	if (r == 0 && !explain_dry())
		r = refuse_tracer(c, status.pid, err);
	if (r == 0)
		r = choose_tools(engine, &d, err);
	if (r == 0)
		r = process_open(status.pid, status.start_time, &d.pidfd);
	if (r == 0) {
		narrate(&d);
		r = explain_dry() ? 0 : start(&d, err);
	}
	if (d.pidfd >= 0)
		(void)close(d.pidfd);
	strv_done(&d.layers);
	free(d.place);
	return r;
}

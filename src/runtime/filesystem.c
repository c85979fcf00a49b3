/* src/runtime/filesystem.c - what the container will see.
 *
 * Each mount is made detached, and attached to a handle that was resolved inside the root; see
 * kernel/mount.h and kernel/rootdir.h for why.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "kernel/mount_script.h"
#include "runtime/copy_up.h"
#include "runtime/setup.h"

/* the root */

static void narrate_mount(const struct setup *s, const struct spec_mount *m, const char *why)
{
	autofree char *command = NULL, *target = NULL;

	if (explain_mode() == EXPLAIN_OFF)
		return;
	target = xasprintf("%s%s", s->spec->root,
			   strcmp(m->destination, "/") == 0 ? "" : m->destination);
	command = mount_script(m->type, m->source ? m->source : m->type, &m->options, target);
	(void)explain(why, m->options.copy_up ? "(cd %2$s && %1$s && cp -a . %2$s)" : "%1$s",
		      command, sq(target));
}

/* Half a sentence for what most containers have; else what every mount is. */
static const char *mount_why(const struct spec_mount *m)
{
	static const struct {
		const char *destination, *why;
	} known[] = {
		{ "/proc", "its own processes, and no others, as files" },
		{ "/dev", "device nodes of its own, in memory" },
		{ "/dev/pts", "terminals of its own" },
		{ "/dev/shm", "memory that its processes share" },
		{ "/dev/mqueue", "its own message queues" },
		{ "/sys", "what the kernel tells about devices, to look at" },
		{ "/sys/fs/cgroup", "the place of its control groups" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].destination, m->destination) == 0)
			return known[i].why;
	return strcmp(m->type, "tmpfs") == 0 ? "files that live in memory as long as it does"
					     : "a file system that was asked for";
}

static int mount_root(struct setup *s, struct error *err)
{
	const struct spec *spec = s->spec;
	const struct spec_mount *first = spec->nmounts > 0 ? &spec->mounts[0] : NULL;
	bool own = first && strcmp(first->destination, "/") == 0;
	int r;

	if (own) {
		narrate_mount(s, first,
			      "the root: its layers with its own on top, or an empty one");
		r = mount_new(first->type, first->source, &first->options, spec->root, &s->root.fd,
			      err);
	} else {
		if (explain("the root must be a mount of its own", "mount --rbind %s %s",
			    sq(spec->root), sq(spec->root)))
			return 0;
		r = mount_clone(AT_FDCWD, spec->root, true, &s->root.fd, err);
	}
	return r < 0 ? r : mount_attach_at(s->root.fd, spec->root, err);
}

/* mounts */

static void narrate_bind(const struct setup *s, const struct spec_mount *m)
{
	autofree char *options = NULL, *target = NULL;

	if (explain_mode() == EXPLAIN_OFF)
		return;
	options = mount_options_format(&m->options);
	target = xasprintf("%s%s", s->spec->root, m->destination);
	(void)explain(strncmp(m->destination, "/sys/fs/cgroup/", 15) == 0
			      ? "one of its control groups"
			      : "something of the host's shows there",
		      "mount --%s %s %s", m->options.recursive ? "rbind" : "bind", sq(m->source),
		      sq(target));
	if (options[0])
		(void)explain("a second step, for a bind mount takes no options",
			      "mount -o remount,bind,%s %s", sq(options), sq(target));
}

/* In a script the source may be made by an earlier line, so its kind is only known there. */
static int script_bind(const struct setup *s, const struct spec_mount *m)
{
	autofree char *target = xasprintf("%s%s", s->spec->root, m->destination);
	autofree char *parent = xstrdup(target);

	*strrchr(parent, '/') = '\0';
	(void)explain("a directory or file for it to lie on",
		      "if [ -d %s ]; then mkdir -p %s; else mkdir -p %s; [ -e %s ] || : > %s; fi",
		      sq(m->source), sq(target), sq(parent), sq(target), sq(target));
	narrate_bind(s, m);
	return 0;
}

static int mount_bind(struct setup *s, const struct spec_mount *m, struct error *err)
{
	autoclose int fd = -1, target = -1;
	struct stat st;
	int r;

	if (explain_dry())
		return script_bind(s, m);
	if (stat(m->source, &st) < 0)
		return error_sys(err, -errno, "bind %s on %s", m->source, m->destination);
	r = rootdir_make(&s->root, m->destination, !S_ISDIR(st.st_mode), ROOTDIR_PLAIN, &target,
			 err);
	if (r < 0)
		return r;
	narrate_bind(s, m);
	r = mount_clone(AT_FDCWD, m->source, m->options.recursive, &fd, err);
	if (r == 0)
		r = mount_set(fd, &m->options, m->destination, err);
	return r < 0 ? r : mount_attach(fd, target, m->destination, err);
}

/* /proc and /sys that are links lead the runtime's own writes astray (CVE-2019-19921). */
static bool must_be_real(const struct spec_mount *m)
{
	return strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0 ||
	       strcmp(m->destination, "/dev") == 0;
}

static bool has_mode(const struct mount_options *o)
{
	for (size_t i = 0; i < o->data.n; i++)
		if (strncmp(o->data.items[i], "mode=", 5) == 0)
			return true;
	return false;
}

/* Read-only only when all is in it. */
static int mount_copied_up(const struct spec_mount *m, int target, int *ret, struct error *err)
{
	const struct mount_options seal = { .set = m->options.set & MOUNT_ATTR_RDONLY };
	struct mount_options open = m->options;
	int r;

	open.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	r = mount_new(m->type, m->source, &open, m->destination, ret, err);
	if (explain_dry())
		return r;
	if (r == 0)
		r = copy_up(target, *ret, m->destination, err);
	if (r == 0 && !has_mode(&m->options))
		r = copy_up_root(target, *ret, m->destination, err);
	return r == 0 && seal.set ? mount_set(*ret, &seal, m->destination, err) : r;
}

/* sysfs(5) shows the network namespace it was mounted in; without one of its own a user namespace
 * may not mount it, so the host's is bound.
 */
static int mount_plain(struct setup *s, const struct spec_mount *m, struct error *err)
{
	autoclose int fd = -1, target = -1;
	int r = rootdir_make(&s->root, m->destination, false,
			     must_be_real(m) ? ROOTDIR_NO_SYMLINKS : ROOTDIR_PLAIN, &target, err);

	if (r < 0)
		return r;
	narrate_mount(s, m, mount_why(m));
	r = m->options.copy_up
		    ? mount_copied_up(m, target, &fd, err)
		    : mount_new(m->type, m->source, &m->options, m->destination, &fd, err);
	if (r == 0)
		r = mount_attach(fd, target, m->destination, err);
	if (r == 0 && m->options.propagation) {
		struct mount_options only = { .propagation = m->options.propagation };

		r = mount_set(fd, &only, m->destination, err);
	}
	if (r == 0 && strcmp(m->type, "proc") == 0 && s->proc_fd < 0)
		s->proc_fd = steal_fd(&fd);
	return r;
}

/* cgroups: v2 alone is one file system; v1 is a directory with one for each hierarchy, of which the
 * container gets to see its own group.
 */
static int mount_cgroup_part(struct setup *s, const struct spec_mount *m,
			     const struct cgroup_part *part, struct error *err)
{
	autofree char *dest = xasprintf("%s/%s", m->destination, part->name);
	struct spec_mount bind = {
		.destination = dest, .type = m->type, .source = part->dir, .options = m->options
	};

	bind.options.bind = true;
	bind.options.data = (struct strv) { 0 };
	return mount_bind(s, &bind, err);
}

/* "cpu,cpuacct" is looked for under both names. */
static void link_cgroup_names(struct setup *s, const struct spec_mount *m,
			      const struct cgroup_part *part)
{
	autofree char *names = xstrdup(part->name);
	autoclose int dir = -1;
	char *rest = names, *word;

	if (!strchr(names, ',') || rootdir_open(&s->root, m->destination, ROOTDIR_PLAIN, &dir) < 0)
		return;
	while ((word = strsep(&rest, ",")))
		(void)symlinkat(part->name, dir, word);
}

static int mount_cgroup_v1(struct setup *s, const struct spec_mount *m, struct error *err)
{
	struct spec_mount base = { .destination = m->destination,
				   .type = (char *)"tmpfs",
				   .source = (char *)"tmpfs" };
	autoclose int target = -1;
	struct mount_options seal = { .set = m->options.set & MOUNT_ATTR_RDONLY };
	int r;

	base.options.set = m->options.set & ~(uint64_t)MOUNT_ATTR_RDONLY;
	strv_add(&base.options.data, "mode=755");
	r = mount_plain(s, &base, err);
	for (size_t i = 0; r == 0 && i < s->cgroup.n; i++) {
		const struct cgroup_part *part = &s->cgroup.parts[i];

		if (part->dir_fd < 0 && !explain_dry())
			continue;
		r = mount_cgroup_part(s, m, part, err);
		if (r == 0 && !explain_dry())
			link_cgroup_names(s, m, part);
	}
	mount_options_done(&base.options);
	if (r < 0 || !seal.set)
		return r;
	if (explain("complete: nothing is written here any more",
		    "mount -o remount,bind,ro,nosuid,nodev,noexec %s%s", sq(s->spec->root),
		    sq(m->destination)))
		return 0;
	r = rootdir_open(&s->root, m->destination, ROOTDIR_PLAIN, &target);
	return r < 0 ? error_sys(err, r, "open %s", m->destination)
		     : mount_set(target, &seal, m->destination, err);
}

static int mount_cgroup(struct setup *s, const struct spec_mount *m, struct error *err)
{
	struct spec_mount one = *m;

	if (s->cgroup.n == 0)
		return 0;
	if (s->cgroup.n > 1 || !s->cgroup.parts[0].v2)
		return mount_cgroup_v1(s, m, err);
	if (spec_has_new(s->spec, CLONE_NEWCGROUP)) {
		one.type = (char *)"cgroup2";
		one.options.data = (struct strv) { 0 };
		return mount_plain(s, &one, err);
	}
	one.source = s->cgroup.parts[0].dir;
	return mount_bind(s, &one, err);
}

static int mount_all(struct setup *s, struct error *err)
{
	const struct spec *spec = s->spec;
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->nmounts; i++) {
		const struct spec_mount *m = &spec->mounts[i];

		if (strcmp(m->destination, "/") == 0)
			continue;
		if (m->options.bind)
			r = mount_bind(s, m, err);
		else if (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0)
			r = mount_cgroup(s, m, err);
		else
			r = mount_plain(s, m, err);
	}
	return r;
}

/* devices */

static const struct {
	const char *name;
	unsigned minor_of_1;
} plain_devices[] = {
	{ "null", 3 }, { "zero", 5 }, { "full", 7 }, { "random", 8 }, { "urandom", 9 },
};

static const struct {
	const char *name, *target;
} dev_links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },          { "core", "/proc/kcore" },
};

/* A user namespace may not make devices: the host's are bound then. */
static int device_bind(struct setup *s, const char *path, struct error *err)
{
	struct spec_mount m = { .destination = (char *)path,
				.source = (char *)path,
				.type = (char *)"bind",
				.options = { .bind = true } };

	return mount_bind(s, &m, err);
}

static int device_make(struct setup *s, int dir, const char *name, const struct spec_device *d,
		       struct error *err)
{
	if (explain("a device that is harmless, or was asked for", "mknod -m %o %s%s %c %lld %lld",
		    d->mode & 07777, sq(s->spec->root), sq(d->path), S_ISBLK(d->mode) ? 'b' : 'c',
		    (long long)d->major, (long long)d->minor))
		return 0;
	if (spec_has_new(s->spec, CLONE_NEWUSER))
		return device_bind(s, d->path, err);
	if (mknodat(dir, name, d->mode, makedev((unsigned)d->major, (unsigned)d->minor)) < 0 &&
	    errno != EEXIST)
		return error_sys(err, -errno, "make device %s in the container", d->path);
	if ((d->uid || d->gid) && fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "give device %s in the container its owner", d->path);
	return 0;
}

static int make_default_devices(struct setup *s, int dev, struct error *err)
{
	const struct spec_device tty = {
		.path = (char *)"/dev/tty", .mode = S_IFCHR | 0666, .major = 5, .minor = 0
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain_devices); i++) {
		autofree char *path = xasprintf("/dev/%s", plain_devices[i].name);
		const struct spec_device d = { .path = path,
					       .mode = S_IFCHR | 0666,
					       .major = 1,
					       .minor = plain_devices[i].minor_of_1 };

		r = device_make(s, dev, plain_devices[i].name, &d, err);
	}
	return r < 0 ? r : device_make(s, dev, "tty", &tty, err);
}

static int make_dev_links(struct setup *s, int dev, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(dev_links); i++) {
		if (explain("a name that programs expect", "ln -sfn %s %s/dev/%s",
			    dev_links[i].target, sq(s->spec->root), dev_links[i].name))
			continue;
		if (symlinkat(dev_links[i].target, dev, dev_links[i].name) < 0 && errno != EEXIST)
			return error_sys(err, -errno, "link /dev/%s in the container",
					 dev_links[i].name);
	}
	return 0;
}

static int make_own_devices(struct setup *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->spec->ndevices; i++) {
		const struct spec_device *d = &s->spec->devices[i];
		autofree char *dir = xstrdup(d->path);
		char *name = strrchr(dir, '/');
		autoclose int parent = -1;

		*name++ = '\0';
		r = rootdir_make(&s->root, dir[0] ? dir : "/", false, ROOTDIR_PLAIN, &parent, err);
		if (r == 0)
			r = device_make(s, parent, name, d, err);
	}
	return r;
}

static bool dev_is_bound(const struct spec *spec)
{
	for (size_t i = 0; i < spec->nmounts; i++)
		if (strcmp(spec->mounts[i].destination, "/dev") == 0 &&
		    spec->mounts[i].options.bind)
			return true;
	return false;
}

static int make_devices(struct setup *s, struct error *err)
{
	autoclose int dev = -1;
	mode_t before = umask(0);
	int r = 0;

	if (!dev_is_bound(s->spec)) {
		r = rootdir_make(&s->root, "/dev", false, ROOTDIR_NO_SYMLINKS, &dev, err);
		if (r == 0)
			r = make_default_devices(s, dev, err);
		if (r == 0)
			r = make_dev_links(s, dev, err);
	}
	if (r == 0)
		r = make_own_devices(s, err);
	(void)umask(before);
	return r;
}

/* sysctls: written through a procfs that nothing inside can have changed */

static int sysctl_write(int proc, const char *name, const char *value, struct error *err)
{
	autofree char *path = xasprintf("sys/%s", name);
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	autoclose int fd = -1;
	size_t len = strlen(value);

	if (!strchr(name, '/'))
		for (char *p = path; *p; p++)
			*p = *p == '.' ? '/' : *p;
	fd = (int)syscall(SYS_openat2, proc, path, &how, sizeof(how));
	if (fd < 0)
		return error_sys(err, -errno, "kernel parameter %s", name);
	if (write(fd, value, len) != (ssize_t)len)
		return error_sys(err, -errno, "set kernel parameter %s to '%s'", name, value);
	return 0;
}

static int write_sysctls(struct setup *s, struct error *err)
{
	const struct strv *all = &s->spec->sysctls;
	struct mount_options none = { 0 };
	autoclose int own = -1;
	int r = 0;

	if (all->n > 0 && s->proc_fd < 0)
		r = mount_new("proc", "proc", &none, "/proc", &own, err);
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		autofree char *name = xstrdup(all->items[i]);
		char *value = strchr(name, '=');

		*value++ = '\0';
		if (explain("a parameter of its own namespaces, not of the host",
			    "sysctl -q -w %s=%s", sq(name), sq(value)))
			continue;
		r = sysctl_write(s->proc_fd >= 0 ? s->proc_fd : own, name, value, err);
	}
	return r;
}

/* masks */

struct mask {
	int null_fd; /* the host's /dev/null, seen from here */
	int empty;   /* a read-only empty directory that is mounted already; -1: none yet */
};

/* CVE-2025-31133: what stands at /dev/null inside is the image's choice; the host's is verified. */
static int null_verified(struct error *err)
{
	int fd = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) {
		if (fd >= 0)
			(void)close(fd);
		return error_set(err, -ENODEV, "the host's /dev/null is not the null device");
	}
	return fd;
}

static int mask_dir(struct mask *mask, int target, const char *path, struct error *err)
{
	struct mount_options o = { .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOEXEC };
	int fd = -1, r;

	if (mask->empty >= 0)
		r = mount_clone(mask->empty, "", false, &fd, err);
	else
		r = mount_new("tmpfs", "tmpfs", &o, path, &fd, err);
	if (r == 0)
		r = mount_attach(fd, target, path, err);
	if (r == 0 && mask->empty < 0)
		mask->empty = fd;
	else if (fd >= 0)
		(void)close(fd);
	return r;
}

static int mask_one(struct setup *s, struct mask *mask, const char *path, struct error *err)
{
	const struct mount_options seal = { .set = MOUNT_ATTR_RDONLY };
	autoclose int target = -1, fd = -1;
	struct stat st;
	int r;

	if (explain_dry()) {
		autofree char *whole = xasprintf("%s%s", s->spec->root, path);

		(void)explain(
			"covered: it tells about the host",
			"if [ -d %s ]; then mount -t tmpfs -o ro,nosuid,nodev,noexec tmpfs %s; "
			"elif [ -e %s ]; then mount --bind /dev/null %s; mount -o remount,bind,ro %s; fi",
			sq(whole), sq(whole), sq(whole), sq(whole), sq(whole));
		return 0;
	}
	r = rootdir_open(&s->root, path, ROOTDIR_PLAIN, &target);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0 || fstat(target, &st) < 0)
		return error_sys(err, r < 0 ? r : -errno, "mask %s", path);
	if (S_ISDIR(st.st_mode)) {
		(void)explain("covered by an empty directory",
			      "mount -t tmpfs -o ro,nosuid,nodev,noexec tmpfs %s%s",
			      sq(s->spec->root), sq(path));
		return mask_dir(mask, target, path, err);
	}
	(void)explain("covered by an empty file",
		      "mount --bind /dev/null %1$s%2$s; mount -o remount,bind,ro %1$s%2$s",
		      sq(s->spec->root), sq(path));
	/* Read-only, or chmod(2) in the container would change the host's /dev/null. */
	r = mount_clone(mask->null_fd, "", false, &fd, err);
	if (r == 0)
		r = mount_set(fd, &seal, path, err);
	return r < 0 ? r : mount_attach(fd, target, path, err);
}

static int mask_all(struct setup *s, struct error *err)
{
	struct mask mask = { .null_fd = -1, .empty = -1 };
	int r = 0;

	if (s->spec->masked_paths.n == 0)
		return 0;
	(void)explain_note("what tells too much about the host is covered");
	if (!explain_dry())
		mask.null_fd = r = null_verified(err);
	for (size_t i = 0; r >= 0 && i < s->spec->masked_paths.n; i++)
		r = mask_one(s, &mask, s->spec->masked_paths.items[i], err);
	if (mask.null_fd >= 0)
		(void)close(mask.null_fd);
	if (mask.empty >= 0)
		(void)close(mask.empty);
	return r < 0 ? r : 0;
}

static int protect_one(struct setup *s, const char *path, struct error *err)
{
	const struct mount_options o = { .recursive_set = MOUNT_ATTR_RDONLY };
	autoclose int target = -1, fd = -1;
	int r;

	if (explain_dry()) {
		autofree char *whole = xasprintf("%s%s", s->spec->root, path);

		(void)explain("to look at, but not to change the host with",
			      "if [ -e %s ]; then mount --bind %s %s; "
			      "mount -o remount,bind,ro,nosuid,nodev,noexec %s; fi",
			      sq(whole), sq(whole), sq(whole), sq(whole));
		return 0;
	}
	r = rootdir_open(&s->root, path, ROOTDIR_PLAIN, &target);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return error_sys(err, r, "make %s read-only", path);
	(void)explain("to look at, but not to change the host with",
		      "mount --bind -o ro %1$s%2$s %1$s%2$s", sq(s->spec->root), sq(path));
	r = mount_clone(target, "", true, &fd, err);
	if (r == 0)
		r = mount_set(fd, &o, path, err);
	return r < 0 ? r : mount_attach(fd, target, path, err);
}

static int protect_all(struct setup *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->spec->read_only_paths.n; i++)
		r = protect_one(s, s->spec->read_only_paths.items[i], err);
	return r;
}

static int make_cwd(struct setup *s, struct error *err)
{
	const struct spec_process *p = s->spec->process;
	autoclose int fd = -1;

	if (!p || strcmp(p->cwd, "/") == 0)
		return 0;
	return rootdir_make(&s->root, p->cwd, false, ROOTDIR_PLAIN, &fd, err);
}

int filesystem_build(struct setup *s, struct error *err)
{
	int r;

	s->root = (struct rootdir) { .fd = -1, .path = s->spec->root };
	s->proc_fd = -1;
	if (!explain("nothing that is mounted here reaches the host", "mount --make-rslave /")) {
		r = mount_propagation("/", MS_SLAVE, true, err);
		if (r < 0)
			return r;
	}
	r = mount_root(s, err);
	if (r == 0)
		r = mount_all(s, err);
	if (r == 0)
		r = make_devices(s, err);
	if (r == 0)
		r = make_cwd(s, err);
	if (r == 0)
		r = write_sysctls(s, err);
	if (r == 0)
		r = mask_all(s, err);
	return r < 0 ? r : protect_all(s, err);
}

static int seal_root(struct setup *s, struct error *err)
{
	struct mount_options o = {
		.set = s->spec->root_read_only ? MOUNT_ATTR_RDONLY : 0,
		.propagation = s->spec->root_propagation,
		.propagation_recursive = s->spec->root_propagation_recursive,
	};

	if (o.set && explain("nothing may be written to the root", "mount -o remount,bind,ro %s",
			     sq(s->spec->root)))
		return 0;
	return mount_set(s->root.fd, &o, "/", err);
}

/* pivot_root(2) with the new root over the old one, which is then taken away from under it. */
static int pivot(int root)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

/* A root on initramfs cannot be pivoted away from. */
static int move_root(int root)
{
	if (fchdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return -errno;
	return chroot(".") < 0 || chdir("/") < 0 ? -errno : 0;
}

int filesystem_enter(struct setup *s, struct error *err)
{
	bool no_pivot = s->req->flags & INSTANCE_NO_PIVOT;
	int r = seal_root(s, err);

	if (r < 0 ||
	    explain_dry()) /* a script's last step is chroot: it needs its tools until then */
		return r;
	(void)explain("the host's files go out of sight", "cd %s && pivot_root . . && umount -l .",
		      sq(s->spec->root));
	r = no_pivot ? move_root(s->root.fd) : pivot(s->root.fd);
	return r < 0 ? error_sys(err, r, "make %s the root", s->spec->root) : 0;
}

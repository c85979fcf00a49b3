/* src/kernel/mount.c */
#include "kernel/mount.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "kernel/overlay.h"

#define OPTIONS_BYTES_MAX   (256U * 4096)
#define FSCONFIG_STRING_MAX 256 /* fs/fsopen.c, terminator included */

struct word {
	const char *name;
	uint64_t set, clear;
	bool recursive; /* the attribute reaches all mounts below */
};

#define ATIME MOUNT_ATTR__ATIME

static const struct word attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0, false },
	{ "rw", 0, MOUNT_ATTR_RDONLY, false },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, false },
	{ "suid", 0, MOUNT_ATTR_NOSUID, false },
	{ "nodev", MOUNT_ATTR_NODEV, 0, false },
	{ "dev", 0, MOUNT_ATTR_NODEV, false },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, false },
	{ "exec", 0, MOUNT_ATTR_NOEXEC, false },
	{ "noatime", MOUNT_ATTR_NOATIME, ATIME, false },
	{ "atime", MOUNT_ATTR_RELATIME, ATIME, false },
	{ "relatime", MOUNT_ATTR_RELATIME, ATIME, false },
	{ "norelatime", MOUNT_ATTR_STRICTATIME, ATIME, false },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, ATIME, false },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, false },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME, false },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, false },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "rro", MOUNT_ATTR_RDONLY, 0, true },
	{ "rrw", 0, MOUNT_ATTR_RDONLY, true },
	{ "rnosuid", MOUNT_ATTR_NOSUID, 0, true },
	{ "rsuid", 0, MOUNT_ATTR_NOSUID, true },
	{ "rnodev", MOUNT_ATTR_NODEV, 0, true },
	{ "rdev", 0, MOUNT_ATTR_NODEV, true },
	{ "rnoexec", MOUNT_ATTR_NOEXEC, 0, true },
	{ "rexec", 0, MOUNT_ATTR_NOEXEC, true },
	{ "rnoatime", MOUNT_ATTR_NOATIME, ATIME, true },
	{ "rrelatime", MOUNT_ATTR_RELATIME, ATIME, true },
	{ "rstrictatime", MOUNT_ATTR_STRICTATIME, ATIME, true },
	{ "rnodiratime", MOUNT_ATTR_NODIRATIME, 0, true },
	{ "rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, true },
	{ "defaults", 0, 0, false },
	{ "async", 0, 0, false },
};

static const struct {
	const char *name;
	uint64_t type;
	bool recursive;
} propagations[] = {
	{ "private", MS_PRIVATE, false },       { "rprivate", MS_PRIVATE, true },
	{ "slave", MS_SLAVE, false },           { "rslave", MS_SLAVE, true },
	{ "shared", MS_SHARED, false },         { "rshared", MS_SHARED, true },
	{ "unbindable", MS_UNBINDABLE, false }, { "runbindable", MS_UNBINDABLE, true },
};

static bool take_attribute(const char *word, struct mount_options *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		const struct word *w = &attributes[i];
		uint64_t *set = w->recursive ? &o->recursive_set : &o->set;
		uint64_t *clear = w->recursive ? &o->recursive_clear : &o->clear;

		if (strcmp(w->name, word) != 0)
			continue;
		/* The last word about an attribute counts. */
		*set = (*set & ~(w->clear | w->set)) | w->set;
		*clear = (*clear & ~w->set) | w->clear;
		return true;
	}
	return false;
}

static bool take_propagation(const char *word, struct mount_options *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++) {
		if (strcmp(propagations[i].name, word) != 0)
			continue;
		o->propagation = propagations[i].type;
		o->propagation_recursive = propagations[i].recursive;
		return true;
	}
	return false;
}

void mount_options_parse(const struct strv *words, struct mount_options *ret)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->items[i];

		if (strcmp(word, "bind") == 0)
			ret->bind = true;
		else if (strcmp(word, "rbind") == 0)
			ret->bind = ret->recursive = true;
		else if (strcmp(word, "tmpcopyup") == 0)
			ret->copy_up = true;
		else if (!take_attribute(word, ret) && !take_propagation(word, ret))
			strv_add(&ret->data, word);
	}
}

void mount_options_done(struct mount_options *o)
{
	strv_done(&o->data);
}

static void add_word(struct buf *text, const char *word)
{
	if (text->len)
		buf_add_char(text, ',');
	buf_add_str(text, word);
}

char *mount_options_format(const struct mount_options *o)
{
	struct buf text = BUF_INIT(OPTIONS_BYTES_MAX);

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (!attributes[i].recursive && attributes[i].set && !attributes[i].clear &&
		    (o->set | o->recursive_set) & attributes[i].set)
			add_word(&text, attributes[i].name);
	/* Of the three ways to keep access times one is nothing but the absence of the others. */
	if ((o->set & ATIME) == MOUNT_ATTR_STRICTATIME)
		add_word(&text, "strictatime");
	else if ((o->set & ATIME) == MOUNT_ATTR_NOATIME)
		add_word(&text, "noatime");
	for (size_t i = 0; i < o->data.n; i++)
		add_word(&text, o->data.items[i]);
	return buf_steal(&text);
}

/* The kernel says more than an errno on the descriptor itself: "e overlay: ...". */
static int refusal(int fs, int r, const char *what, struct error *err)
{
	char message[400];
	ssize_t n = read(fs, message, sizeof(message) - 1);

	if (n <= 2)
		return error_sys(err, r, "mount %s", what);
	message[n] = '\0';
	return error_sys(err, r, "mount %s: %s", what, message + 2);
}

/* Open until the mount is made. */
struct held {
	int *fds;
	size_t n, room;
};

static void held_done(struct held *held)
{
	for (size_t i = 0; i < held->n; i++)
		(void)close(held->fds[i]);
	free(held->fds);
}

/* What overlayfs would take for an escape, and before Linux 6.5 for the end of the option, and what
 * fsconfig(2) refuses, is seen from its descriptor.
 */
static int set_directory(int fs, const char *key, const char *value, struct held *held)
{
	autofree char *path = overlay_unescape(value);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[32];

	if (fd < 0)
		return -errno;
	VEC_GROW(held->fds, held->n, held->room);
	held->fds[held->n++] = fd;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, name, 0) < 0 ? -errno : 0;
}

static bool is_own_directory(const char *key)
{
	return strcmp(key, "upperdir") == 0 || strcmp(key, "workdir") == 0;
}

static int set_option(int fs, const char *text, struct held *held)
{
	autofree char *key = xstrdup(text);
	char *value = strchr(key, '=');

	if (!value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0) < 0 ? -errno : 0;
	*value++ = '\0';
	if (is_own_directory(key) &&
	    (strpbrk(value, "\\,:") || strlen(value) >= FSCONFIG_STRING_MAX))
		return set_directory(fs, key, value, held);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

/* The layers of an overlay, each opened once, so that no name with a colon needs an escape. */
struct lower {
	struct strv names;
	int *fds;
	size_t n, room;
};

static void lower_done(struct lower *lower)
{
	for (size_t i = 0; i < lower->n; i++)
		(void)close(lower->fds[i]);
	free(lower->fds);
	strv_done(&lower->names);
}

static int lower_open(const char *value, struct lower *ret)
{
	struct buf one = BUF_INIT(OPTIONS_BYTES_MAX);
	int fd = 0;

	for (const char *p = value; fd >= 0; p++) {
		if (*p == '\\' && p[1]) {
			buf_add_char(&one, *++p);
			continue;
		}
		if (*p && *p != ':') {
			buf_add_char(&one, *p);
			continue;
		}
		fd = open(buf_text(&one), O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			break;
		strv_add(&ret->names, buf_text(&one));
		buf_reset(&one);
		VEC_GROW(ret->fds, ret->n, ret->room);
		ret->fds[ret->n++] = fd;
		if (!*p)
			break;
	}
	buf_done(&one);
	return fd < 0 ? -errno : 0;
}

/* Overlayfs before Linux 6.5 reads its options when it is mounted; until then the kernel takes any
 * string for it, "lowerdir+" too.  What tells is that it refuses descriptors for such a file system
 * before it looks at them (fs/fsopen.c), so one that nobody has changes nothing.
 */
static bool takes_any_string(int fs)
{
	return fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, INT_MAX) < 0 && errno == EOPNOTSUPP;
}

/* Linux 6.8 takes layers one by one.  Before, all are one string, of which fsconfig(2) takes 256
 * bytes: seen from /proc/self/fd a layer's name is its descriptor's number, and some 80 fit.
 */
static int set_lower(int fs, const struct lower *lower)
{
	struct buf joined = BUF_INIT(OPTIONS_BYTES_MAX);
	char name[32];
	int r = takes_any_string(fs) ? -EINVAL : 0;

	for (size_t i = 0; i < lower->n; i++) {
		const char *path = lower->names.items[i];

		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", lower->fds[i]);
		if (r == 0 && fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+",
				       strlen(path) < FSCONFIG_STRING_MAX ? path : name, 0) < 0)
			r = -errno;
		buf_addf(&joined, "%s%d", i ? ":" : "", lower->fds[i]);
	}
	if (r == -EINVAL) {
		r = chdir("/proc/self/fd") < 0 ? -errno : 0;
		if (r == 0 &&
		    fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", buf_text(&joined), 0) < 0)
			r = -errno;
	}
	buf_done(&joined);
	return r;
}

static int set_all(int fs, const char *source, const struct mount_options *o, const char *what,
		   struct error *err)
{
	cleanup(lower_done) struct lower lower = { 0 };
	cleanup(held_done) struct held held = { 0 };
	int r = 0;

	if (source && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return refusal(fs, -errno, what, err);
	for (size_t i = 0; r == 0 && i < o->data.n; i++) {
		const char *text = o->data.items[i];

		if (strncmp(text, "lowerdir=", 9) != 0) {
			r = set_option(fs, text, &held);
			continue;
		}
		r = lower_open(text + 9, &lower);
		if (r < 0)
			return error_sys(err, r, "mount %s: open a lower directory of %s", what,
					 text);
		r = set_lower(fs, &lower);
	}
	if (r < 0)
		return refusal(fs, r, what, err);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return refusal(fs, -errno, what, err);
	return 0;
}

int mount_new(const char *type, const char *source, const struct mount_options *o, const char *what,
	      int *ret, struct error *err)
{
	autoclose int fs = -1;
	int fd, r;

	if (explain_dry()) {
		*ret = -1;
		return 0;
	}
	fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return error_sys(err, -errno,
				 errno == ENODEV ? "mount %s: this kernel has no file system %s"
						 : "mount %s: open file system %s",
				 what, type);
	r = set_all(fs, source, o, what, err);
	if (r < 0)
		return r;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)(o->set | o->recursive_set));
	if (fd < 0)
		return refusal(fs, -errno, what, err);
	*ret = fd;
	return 0;
}

int mount_clone(int from_fd, const char *from, bool recursive, int *ret, struct error *err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) |
			 (*from ? 0 : AT_EMPTY_PATH);
	int fd;

	if (explain_dry()) {
		*ret = -1;
		return 0;
	}
	fd = open_tree(from_fd, from, flags);
	if (fd < 0)
		return error_sys(err, -errno, "bind %s", *from ? from : "a file");
	*ret = fd;
	return 0;
}

static int set_attr(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };

	if (!set && !clear && !propagation)
		return 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0)
		return -errno;
	return 0;
}

int mount_set(int fd, const struct mount_options *o, const char *what, struct error *err)
{
	int r;

	if (explain_dry())
		return 0;
	r = set_attr(fd, o->set, o->clear, 0, false);
	if (r == 0)
		r = set_attr(fd, o->recursive_set, o->recursive_clear, 0, true);
	if (r == 0)
		r = set_attr(fd, 0, 0, o->propagation, o->propagation_recursive);
	return r < 0 ? error_sys(err, r, "set the attributes of mount %s", what) : 0;
}

int mount_attach(int fd, int target, const char *what, struct error *err)
{
	if (explain_dry())
		return 0;
	if (move_mount(fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_sys(err, -errno, "mount %s", what);
	return 0;
}

int mount_attach_at(int fd, const char *host_path, struct error *err)
{
	if (explain_dry())
		return 0;
	if (move_mount(fd, "", AT_FDCWD, host_path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_sys(err, -errno, "mount on %s", host_path);
	return 0;
}

int mount_propagation(const char *path, uint64_t propagation, bool recursive, struct error *err)
{
	struct mount_attr attr = { .propagation = propagation };

	if (explain_dry())
		return 0;
	if (mount_setattr(AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &attr, sizeof(attr)) < 0)
		return error_sys(err, -errno, "set the propagation of %s", path);
	return 0;
}

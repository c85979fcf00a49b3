/* src/disk/modules.c - modules.dep(5): "PATH: PATH...", what a module needs behind the colon, the
 * nearest first, so that loading goes from right to left.
 */
#include "disk/modules.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "disk/filetree.h"
#include "disk/machine/orders.h"
#include "disk/source.h"

#define DEP_MAX (16U << 20)

struct adding {
	struct filetree *to;
	const char *dir;
	int fd;                      /* of dir; or: */
	const struct filetree *from; /* where dir is a directory of */
	struct timespec mtime;
	struct strv *ret;
	struct error *err;
};

static int take_from_dir(const struct adding *a, const char *path, const char *to,
			 struct file *file)
{
	autofree char *real = NULL;
	struct stat st;

	if (fstatat(a->fd, path, &st, 0) < 0)
		return error_sys(a->err, -errno, "%s/%s", a->dir, path);
	if (!S_ISREG(st.st_mode))
		return error_set(a->err, -EINVAL, "%s/%s cannot be taken", a->dir, path);
	file->content = content_of_path(a->fd, path, &st);
	real = filetree_place(a->to, to + 1);
	(void)explain("a driver", "install -D -m 644 %s/%s \"$tree\"/%s", sq(a->dir), sq(path),
		      sq(real));
	return 0;
}

static int take_from_tree(const struct adding *a, const char *path, const char *to,
			  struct file *file)
{
	autofree char *whole = xasprintf("%s/%s", a->dir, path);
	autofree char *real = NULL;
	const struct file *from = filetree_resolve(a->from, whole, &real);

	if (!from || !S_ISREG(from->mode))
		return error_set(a->err, -ENOENT, "/%s is not there, but in modules.dep", whole);
	file->content = content_clone(&from->content);
	(void)explain("a driver", "install -D -m 644 \"$tree\"/%s \"$early\"%s", sq(real), sq(to));
	return 0;
}

static int add_module(struct adding *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *to = xasprintf(MODULES_DIR "/%s", slash ? slash + 1 : path);
	struct file *dir = filetree_make_dir(a->to, MODULES_DIR, a->mtime), *file;
	int r;

	if (strv_has(a->ret, to))
		return 0;
	file = dir ? filetree_add(a->to, S_IFREG | 0644) : NULL;
	if (!file)
		return error_set(a->err, -EINVAL, "%s/%s cannot be taken", a->dir, path);
	file->mtime = a->mtime;
	r = a->from ? take_from_tree(a, path, to, file) : take_from_dir(a, path, to, file);
	if (r < 0)
		return r;
	dir_put(dir, slash ? slash + 1 : path, file);
	strv_take(a->ret, steal_ptr(&to));
	return 0;
}

/* "kernel/drivers/net/virtio_net.ko.xz" is virtio_net; '-' and '_' are one to the kernel. */
static bool is_module(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	path = slash ? slash + 1 : path;
	for (; *name; name++, path++)
		if (*path != *name && !(*path == '-' && *name == '_'))
			return false;
	return strncmp(path, ".ko", 3) == 0;
}

/* A module and, before it, what it needs. */
static int add_line(struct adding *a, char *line)
{
	char *colon = strchr(line, ':'), *word;
	int r = 0;

	if (!colon)
		return 0;
	*colon = '\0';
	while (r == 0 && (word = strrchr(colon + 1, ' '))) {
		*word = '\0';
		if (word[1])
			r = add_module(a, word + 1);
	}
	return r < 0 ? r : add_module(a, line);
}

static int add_wanted(struct adding *a, const char *text, const char *name)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *colon = strchr(line, ':');
		autofree char *path = colon ? xstrndup(line, (size_t)(colon - line)) : NULL;

		if (path && is_module(path, name))
			return add_line(a, line);
	}
	return 0;
}

static int add_all(struct adding *a, const char *text, const char *const *wanted, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_wanted(a, text, wanted[i]);
	return r < 0 ? error_wrap(a->err, r, "modules %s", a->dir) : 0;
}

int modules_add(struct disk_source *s, const char *dir, const char *const *wanted, size_t n,
		struct timespec mtime, struct strv *ret, struct error *err)
{
	struct adding a = {
		.to = s->tree, .dir = dir, .fd = -1, .mtime = mtime, .ret = ret, .err = err
	};
	autofree char *text = NULL;
	int r = dir_open_at(AT_FDCWD, dir, &a.fd, err);

	if (r < 0)
		return r;
	VEC_GROW(s->fds, s->nfds, s->room);
	s->fds[s->nfds++] = a.fd;
	r = file_read_at(a.fd, "modules.dep", DEP_MAX, &text, NULL, err);
	return r < 0 ? error_wrap(err, r, "modules %s", dir) : add_all(&a, text, wanted, n);
}

int modules_add_from_tree(const struct filetree *from, const char *version,
			  const char *const *wanted, size_t n, struct filetree *to,
			  struct strv *ret, struct error *err)
{
	autofree char *dir = xasprintf("lib/modules/%s", version), *text = NULL;
	autofree char *dep_path = xasprintf("%s/modules.dep", dir);
	const struct file *dep = filetree_resolve(from, dep_path, NULL);
	struct adding a = { .to = to, .dir = dir, .from = from, .ret = ret, .err = err };
	size_t len;
	int r;

	if (!dep || !S_ISREG(dep->mode))
		return 1;
	r = content_read(&dep->content, DEP_MAX, DEP_MAX, &text, &len, err);
	return r < 0 ? error_wrap(err, r, "/%s", dep_path) : add_all(&a, text, wanted, n);
}

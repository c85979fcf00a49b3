/* src/disk/tree_cpio.c - Documentation/driver-api/early-userspace/buffer-format.rst. */
#include "disk/tree_cpio.h"

#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "image/tar.h"

#define HEAD_LEN 110
#define MAGIC    "070701"
#define TRAILER  "TRAILER!!!"

struct head {
	uint32_t number, mode, uid, gid, links, mtime, size, device[2], major, minor, name_len, sum;
};
#define NUMBERS (sizeof(struct head) / sizeof(uint32_t))

struct linked {
	uint32_t number;
	struct file *file;
};

struct opening {
	const struct region *at;
	int64_t place;
	struct filetree *tree;
	void *linked; /* files that have several names, by their numbers */
	struct error *err;
};

static int damaged(const struct opening *o, const char *what)
{
	return error_set(o->err, -EBADMSG, "the initrd is damaged (%s)", what);
}

static int read_head(struct opening *o, struct head *ret)
{
	char text[HEAD_LEN];
	uint32_t numbers[NUMBERS] = { 0 };

	static_assert(HEAD_LEN == 6 + 8 * NUMBERS, "as the format has it");
	if (region_get(o->at, o->place, text, sizeof(text)) < 0 || memcmp(text, MAGIC, 6) != 0)
		return damaged(o, "a header");
	for (size_t i = 0; i < 8 * NUMBERS; i++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *at = text[6 + i] ? strchr(digits, text[6 + i]) : NULL;

		if (!at)
			return damaged(o, "a header");
		numbers[i / 8] = numbers[i / 8] << 4 | ((uint32_t)(at - digits) & 15);
	}
	memcpy(ret, numbers, sizeof(*ret));
	o->place += HEAD_LEN;
	return ret->name_len < 2 || ret->name_len > TAR_NAME_MAX ? damaged(o, "a name") : 0;
}

/* len bytes with a NUL behind, and on to the next multiple of four. */
static int read_text(struct opening *o, size_t len, char **ret)
{
	autofree char *text = xcalloc(1, len + 1);

	if (region_get(o->at, o->place, text, len) < 0)
		return damaged(o, "it ends too early");
	o->place = (o->place + (int64_t)len + 3) & ~(int64_t)3;
	*ret = steal_ptr(&text);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct linked *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* The one of that number, if it has been there under another name; else f is it. */
static struct file *same_file(struct opening *o, const struct head *h, struct file *f)
{
	struct linked *new = xnew(struct linked), **found;

	*new = (struct linked) { h->number, f };
	found = tsearch(new, &o->linked, by_number);
	if (*found == new)
		return f;
	free(new);
	return (*found)->file->mode == f->mode ? (*found)->file : f;
}

/* The directory that a name lies in, and its last part; NULL: there cannot be such a one. */
static struct file *find_place(struct opening *o, char *name, const struct head *h,
			       const char **ret_last)
{
	const struct timespec mtime = { .tv_sec = h->mtime };
	char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;

	*ret_last = last;
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 ||
	    strlen(last) > FILE_NAME_MAX)
		return NULL;
	if (!slash)
		return o->tree->root;
	*slash = '\0';
	return filetree_make_dir(o->tree, name, mtime);
}

static int take_content(struct opening *o, const struct head *h, struct file *f)
{
	char *target = NULL;
	int r = 0;

	if (o->place > o->at->size || h->size > o->at->size - o->place)
		return damaged(o, "it ends too early");
	if (S_ISLNK(f->mode)) {
		if (h->size == 0 || h->size >= TAR_NAME_MAX)
			return damaged(o, "a symbolic link");
		r = read_text(o, h->size, &target);
		free(f->target);
		f->target = target;
		return r == 0 && target && strlen(target) != h->size ? damaged(o, "a symbolic link")
								     : r;
	}
	if (S_ISREG(f->mode) && h->size) {
		content_done(&f->content);
		f->content = (struct content) { .kind = CONTENT_PIECES,
						.fd = o->at->fd,
						.size = h->size };
		content_add_piece(&f->content, 0, o->at->offset + o->place, h->size);
	}
	o->place = (o->place + h->size + 3) & ~(int64_t)3;
	return 0;
}

static int take_entry(struct opening *o, const struct head *h, char *name)
{
	const char *last = NULL;
	struct file *dir = find_place(o, name, h, &last), *f;

	if (!dir)
		return damaged(o, "a name");
	f = dir_find(dir, last);
	if (!f || !S_ISDIR(f->mode) || !S_ISDIR(h->mode)) {
		f = filetree_add(o->tree, (mode_t)h->mode);
		if (!f)
			return error_set(o->err, -EFBIG, "the initrd has too many files");
		if (h->links > 1 && S_ISREG(h->mode))
			f = same_file(o, h, f);
		dir_put(dir, last, f);
	}
	f->mode = (mode_t)h->mode;
	f->uid = h->uid;
	f->gid = h->gid;
	f->mtime.tv_sec = h->mtime;
	f->major = h->major;
	f->minor = h->minor;
	return take_content(o, h, f);
}

static bool is_known_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode);
}

int filetree_add_cpio(struct filetree *t, const struct region *at, struct error *err)
{
	struct opening o = { .at = at, .tree = t, .err = err };
	int r = 0;

	for (bool ended = false; r == 0 && !ended;) {
		autofree char *name = NULL;
		struct head h = { 0 };

		r = read_head(&o, &h);
		if (r == 0)
			r = read_text(&o, h.name_len, &name);
		ended = name && strcmp(name, TRAILER) == 0;
		if (r == 0 && name && !ended)
			r = is_known_type((mode_t)h.mode) ? take_entry(&o, &h, name)
							  : damaged(&o, "a file of no kind");
	}
	tdestroy(o.linked, free);
	return r;
}

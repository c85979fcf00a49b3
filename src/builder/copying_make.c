/* src/builder/copying_make.c - the files of a COPY or ADD, each to its place in the layer */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "builder/copying.h"
#include "builder/instruction.h"
#include "builder/step.h"
#include "builder/unpack_add.h"

/* Where an item goes: into the destination if that is a directory, else in its place. */
static int item_dest(struct copying *c, struct draft *d, const char *name, bool is_dir, char **ret)
{
	autofree char *resolved = NULL, *whole = NULL;
	struct stat st;
	int r = draft_resolve(d, c->dest, true, &resolved, c->w->b->err);

	if (r < 0)
		return r;
	if (is_dir || (!c->dest_is_dir && *resolved &&
		       !(draft_look(d, resolved, &st) == 0 && S_ISDIR(st.st_mode)))) {
		*ret = steal_ptr(&resolved);
		return 0;
	}
	whole = xasprintf("%s/%s", resolved, name);
	/* A link at the file's own place is replaced, not followed. */
	return draft_resolve(d, whole, false, ret, c->w->b->err);
}

static int make_parent(struct copying *c, struct draft *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	return draft_make_dir(d, dir, c->uid, c->gid, NULL, c->w->b->err);
}

static char *below(const char *dir, const char *path)
{
	if (!*dir || !*path)
		return xstrdup(*dir ? dir : path);
	return xasprintf("%s/%s", dir, path);
}

static int copy_entry(struct copying *c, struct draft *d, const struct listing_item *item,
		      const struct listing_entry *e, struct listing_place *place, const char *dest)
{
	struct draft_source source = { .st = e->st, .with_xattrs = c->from != NULL };
	autofree char *path = item->is_dir ? below(dest, e->path) : xstrdup(dest);
	int r = listing_open(place, item, e->path, &source.dir, &source.name, c->w->b->err);

	return r < 0 ? r : draft_copy(d, path, &source, &c->looks, c->w->b->err);
}

/* The top of a tree only gives its looks to a directory that is not there yet. */
static int copy_tree_item(struct copying *c, struct draft *d, const struct listing_item *item,
			  const char *dest)
{
	struct listing_place place = LISTING_PLACE_INIT;
	bool is_new = false;
	int r = draft_make_dir(d, dest, c->uid, c->gid, &is_new, c->w->b->err);

	for (size_t i = 0; r == 0 && i < item->n; i++)
		if (*item->entries[i].path || (is_new && *dest))
			r = copy_entry(c, d, item, &item->entries[i], &place, dest);
	listing_place_done(&place);
	return r;
}

static int copy_file_item(struct copying *c, struct draft *d, const struct listing_item *item,
			  const char *dest)
{
	struct listing_place place = LISTING_PLACE_INIT;
	int r = make_parent(c, d, dest);

	if (r == 0)
		r = copy_entry(c, d, item, &item->entries[0], &place, dest);
	listing_place_done(&place);
	return r;
}

/* What was fetched is an archive only if it is said to be one. */
static bool may_be_archive(const struct copying *c, const struct listing_item *item)
{
	const struct listing_entry *e = &item->entries[0];
	bool is_local = item < c->list.items + c->nlocal;
	const char *flag = instruction_flag(c->w->ins, "unpack");

	return c->is_add && (flag ? instruction_has(c->w->ins, "unpack") : is_local) &&
	       S_ISREG(e->st.st_mode) && e->st.st_size > 0;
}

/* An archive's place is always a directory.  1: it is none. */
static int unpack_item(struct copying *c, struct draft *d, const struct listing_item *item)
{
	const struct listing_entry *e = &item->entries[0];
	struct unpack_add req = { .draft = d,
				  .name = e->path,
				  .dest = c->dest,
				  .looks = &c->looks,
				  .takes_owners = !instruction_flag(c->w->ins, "chown") };
	autoclose int fd = -1;

	if (!may_be_archive(c, item))
		return 1;
	fd = openat(item->dir, e->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(c->w->b->err, -errno, "open %s", e->path);
	req.fd = fd;
	return unpack_add(&req, c->w->b->err);
}

/* Where "dir/file" of --parents goes, by its path from the pivot; the directories on its way look
 * as they do in the source, if they are not there yet.
 */
static int parents_dest(struct copying *c, struct draft *d, const struct listing_item *item,
			char **ret)
{
	autofree char *whole = xasprintf("%s/%s", c->dest, item->path + item->pivot), *top = NULL;
	struct stat st;
	int r = draft_resolve(d, c->dest, true, &top, c->w->b->err);

	if (r == 0)
		r = draft_make_dir(d, top, c->uid, c->gid, NULL, c->w->b->err);
	for (size_t i = 0; r == 0 && i < item->nparents; i++) {
		const struct draft_source source = { .dir = -1, .st = item->parents[i].st };
		autofree char *dir = xasprintf("%s/%s", c->dest, item->parents[i].path);
		autofree char *path = NULL;

		r = draft_resolve(d, dir, true, &path, c->w->b->err);
		if (r == 0 && draft_look(d, path, &st) < 0)
			r = draft_copy(d, path, &source, &c->looks, c->w->b->err);
	}
	return r < 0 ? r : draft_resolve(d, whole, item->is_dir, ret, c->w->b->err);
}

static int copy_item(struct copying *c, struct draft *d, const struct listing_item *item)
{
	autofree char *dest = NULL;
	int r = item->is_dir ? 1 : unpack_item(c, d, item);

	if (r <= 0)
		return r;
	if (c->keeps_parents)
		r = parents_dest(c, d, item, &dest);
	else
		r = item_dest(c, d, item->name, item->is_dir, &dest);
	if (r < 0)
		return r;
	return item->is_dir ? copy_tree_item(c, d, item, dest) : copy_file_item(c, d, item, dest);
}

static int write_doc(struct copying *c, struct draft *d, const char *name, const char *content)
{
	struct draft_looks looks = c->looks;
	autofree char *dest = NULL;
	int r = item_dest(c, d, name, false, &dest);

	looks.uid = c->uid;
	looks.gid = c->gid;
	if (r == 0)
		r = make_parent(c, d, dest);
	return r < 0 ? r : draft_write(d, dest, content, strlen(content), &looks, c->w->b->err);
}

int copying_make(void *data, struct draft *d, struct error *err)
{
	struct copying *c = data;
	int r = 0;

	(void)err;
	for (size_t i = 0; r == 0 && i < c->docs.n; i += 2)
		r = write_doc(c, d, c->docs.items[i], c->docs.items[i + 1]);
	for (size_t i = 0; r == 0 && i < c->list.n; i++)
		r = copy_item(c, d, &c->list.items[i]);
	return r;
}

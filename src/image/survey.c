/* src/image/survey.c */
#include "image/survey.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/walk.h"

/* Inodes with several names that were seen, so that each counts once. */
struct inodes {
	ino_t *items;
	size_t n, room;
};

struct surveying {
	struct survey *survey;
	struct inodes seen;
};

void survey_done(struct survey *s)
{
	strv_done(&s->set_id);
	strv_done(&s->capable);
	strv_done(&s->open);
	strv_done(&s->devices);
	distribution_done(&s->distribution);
	packages_done(&s->packages);
}

/* Few files have several names: a list is enough. */
static bool is_first(struct inodes *seen, const struct stat *st)
{
	if (st->st_nlink < 2)
		return true;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->items[i] == st->st_ino)
			return false;
	VEC_GROW(seen->items, seen->n, seen->room);
	seen->items[seen->n++] = st->st_ino;
	return true;
}

static bool has_capabilities(const struct walk_entry *e)
{
	char path[64];
	autoclose int fd = openat(e->dir, e->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd >= 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

static void note(struct strv *list, const struct walk_entry *e)
{
	strv_addf(list, "%04o %u:%u /%s", e->st.st_mode & 07777, e->st.st_uid, e->st.st_gid,
		  e->path);
}

static void look_at_file(struct surveying *s, const struct walk_entry *e)
{
	struct survey *v = s->survey;
	bool executable = e->st.st_mode & 0111;

	v->files++;
	if (is_first(&s->seen, &e->st))
		v->bytes += e->st.st_size;
	v->executables += executable;
	if (e->st.st_mode & 06000 && executable)
		note(&v->set_id, e);
	if (executable && has_capabilities(e))
		note(&v->capable, e);
	if (e->st.st_mode & 0002)
		note(&v->open, e);
}

static int look(void *data, const struct walk_entry *e, struct error *err)
{
	struct surveying *s = data;
	struct survey *v = s->survey;

	(void)err;
	switch (e->st.st_mode & S_IFMT) {
	case S_IFREG:
		look_at_file(s, e);
		break;
	case S_IFDIR:
		v->directories++;
		if (e->st.st_mode & 0002 && !(e->st.st_mode & S_ISVTX))
			note(&v->open, e);
		break;
	case S_IFLNK:
		v->links++;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (e->st.st_rdev)
			note(&v->devices, e);
		v->others++;
		break;
	default:
		v->others++;
	}
	return 0;
}

int survey_read(int view, struct survey *ret, struct error *err)
{
	struct survey survey = { .files = 0 };
	struct surveying s = { .survey = &survey };
	int r = walk_tree(view, look, NULL, &s, err);

	free(s.seen.items);
	if (r < 0) {
		survey_done(&survey);
		return r;
	}
	distribution_read(view, &survey.distribution);
	packages_read(view, &survey.packages);
	*ret = survey;
	return 0;
}

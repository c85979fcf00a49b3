/* src/disk/import.c */
#include "disk/import.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/format.h"
#include "disk/machine/orders.h"
#include "disk/origin.h"
#include "disk/reading.h"
#include "disk/tree_out.h"

/* What fsck found stays. */
static void drop_ours(struct filetree *t)
{
	const struct file *found = dir_find(t->root, "lost+found");

	if (found && S_ISDIR(found->mode) && found->nnames == 0)
		dir_drop(t->root, "lost+found");
	dir_drop(t->root, &OURS_DIR[1]);
}

int disk_export(struct disk *d, int *ret_fd, struct strv *ret_said, struct error *err)
{
	struct filetree *t = NULL;
	autoclose int fd = -1;
	int r = disk_read_tree(d, &t, err);

	if (r == 0)
		r = origin_take(t, ret_said, err);
	if (r < 0)
		return r;
	drop_ours(t);
	r = format_scratch(&fd, err);
	if (r == 0)
		r = filetree_write_tar(t, fd, TREE_OUT_EXACT, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = error_sys(err, -errno, "read the archive");
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

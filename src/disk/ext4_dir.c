/* src/disk/ext4_dir.c - a directory's blocks, filled in memory: the library would look through all
 * of them again for each name.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/ext4.h"
#include "disk/ext4_inside.h"
#include "disk/filetree.h"

#define TAIL_LEN 12U /* of each block: its checksum */
#define ROOM     (EXT4_BLOCK - TAIL_LEN)

struct filling {
	char *blocks; /* NULL: only counting */
	blk64_t n;
	size_t used;                 /* of the last block */
	struct ext2_dir_entry *last; /* takes what is left of it */
};

static void end_block(struct filling *f)
{
	if (f->last)
		f->last->rec_len = (__u16)(f->last->rec_len + ROOM - f->used);
	f->last = NULL;
	f->used = ROOM;
}

static void add_name(struct filling *f, const char *name, ext2_ino_t ino, mode_t mode)
{
	size_t n = strlen(name), len = (8 + n + 3) & ~(size_t)3;
	struct ext2_dir_entry *e;

	if (f->n == 0 || f->used + len > ROOM) {
		end_block(f);
		f->n++;
		f->used = 0;
	}
	if (f->blocks) {
		e = (struct ext2_dir_entry *)(void *)(f->blocks + (f->n - 1) * EXT4_BLOCK +
						      f->used);
		e->inode = ino;
		e->rec_len = (__u16)len;
		ext2fs_dirent_set_name_len(e, (int)n);
		ext2fs_dirent_set_file_type(e, dir_entry_type(mode));
		memcpy(e->name, name, n);
		f->last = e;
	}
	f->used += len;
}

static void add_names(struct filling *f, const struct file *dir)
{
	add_name(f, ".", dir->number, S_IFDIR);
	add_name(f, "..", dir->parent, S_IFDIR);
	for (size_t i = 0; i < dir->nnames; i++)
		add_name(f, dir->names[i].text, dir->names[i].file->number,
			 dir->names[i].file->mode);
	end_block(f);
}

blk64_t ext4_names_blocks(const struct file *dir)
{
	struct filling f = { .n = 0 };

	add_names(&f, dir);
	return f.n;
}

struct placing {
	struct ext4_writer *w;
	char *blocks;
	ext2_ino_t ino;
};

static int place(void *data, const struct ext2fs_extent *e)
{
	struct placing *p = data;

	p->w->goal = e->e_pblk + e->e_len;
	for (blk64_t i = 0; i < e->e_len; i++) {
		char *block = p->blocks + (e->e_lblk + i) * EXT4_BLOCK;
		errcode_t code;

		ext2fs_initialize_dirent_tail(p->w->fs,
					      EXT2_DIRENT_TAIL(block, p->w->fs->blocksize));
		code = ext2fs_write_dir_block4(p->w->fs, e->e_pblk + i, block, 0, p->ino);
		if (code)
			return ext4_failed(p->w->err, code, "write a directory");
	}
	return 0;
}

int ext4_write_names(struct ext4_writer *w, const struct file *dir, struct ext2_inode_large *inode)
{
	struct placing p = { .w = w, .ino = dir->number };
	struct filling f = { .n = 0 };
	autofree char *blocks = NULL;
	blk64_t n = ext4_names_blocks(dir);
	int r;

	blocks = xcalloc(n, EXT4_BLOCK);
	f.blocks = p.blocks = blocks;
	add_names(&f, dir);
	r = ext4_allocate(w, dir->number, inode, 0, n);
	return r < 0 ? r : ext4_each_extent(w, dir->number, inode, place, &p);
}

/* src/disk/btrfs_data.c - contents.
 *
 * Each byte has to be seen for its sum, so what is read is summed and written: shared blocks would
 * have to be read, too, and by then a source in use may have other bytes than those that were
 * summed.
 */
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/btrfs_inside.h"
#include "disk/crc32c.h"
#include "disk/filetree.h"
#include "disk/region.h"

#define BUFFER (1U << 20)
#define WAIT_MOST                                                                                  \
	((BTRFS_NODE - BTRFS_HEAD - 2 * BTRFS_ITEM) / BTRFS_SUM - 1) /* as the kernel's            \
								      */

/* Sums that wait for those of the data behind theirs. */
void btrfs_copy_end(struct btrfs_out *b)
{
	if (b->nwait)
		btrfs_add(&b->sums,
			  (struct btrfs_key) { BTRFS_OBJECT_SUMS, BTRFS_SUMS, b->wait_at }, b->wait,
			  b->nwait * BTRFS_SUM);
	b->nwait = 0;
}

static void note_sum(struct btrfs_out *b, uint64_t at, uint32_t sum)
{
	if (b->nwait == WAIT_MOST || at != b->wait_at + b->nwait * BTRFS_BLOCK)
		btrfs_copy_end(b);
	if (b->nwait == 0)
		b->wait_at = at;
	put_le(b->wait + BTRFS_SUM * b->nwait++, sum, BTRFS_SUM);
}

/* Those bytes of the file, zeros where it has none. */
static int get_bytes(struct content_reader *rd, int64_t at, int64_t len, unsigned char *to)
{
	int64_t end = at + len, done = at, start, n;

	while (done < end && content_next(rd, done, &start, &n) > 0 && start < end) {
		int r;

		n = MIN(n, end - start);
		memset(to + (done - at), 0, (size_t)(start - done));
		r = content_get(rd, start, n, (char *)to + (start - at));
		if (r < 0)
			return r;
		done = start + n;
	}
	memset(to + (done - at), 0, (size_t)(end - done));
	return 0;
}

static void copy_run(struct btrfs_out *b, struct content_reader *rd, const struct btrfs_run *run)
{
	for (uint64_t done = 0; b->r == 0 && done < run->len;) {
		uint64_t n = MIN(run->len - done, (uint64_t)BUFFER);
		int r = get_bytes(rd, (int64_t)(run->at + done), (int64_t)n, b->buffer);

		if (r < 0) {
			b->r = error_sys(b->err, r, "copy a file's bytes");
			return;
		}
		for (uint64_t i = 0; i < n; i += BTRFS_BLOCK)
			note_sum(b, run->place + done + i,
				 ~crc32c(~0U, b->buffer + i, BTRFS_BLOCK));
		btrfs_write_at(b, b->buffer, n, run->place + done);
		done += n;
	}
}

void btrfs_copy(struct btrfs_out *b, const struct file *f)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t end = 0, start, len;

	b->nruns = 0;
	if (b->r == 0)
		b->r = content_open(&f->content, &rd, b->err);
	if (!b->buffer) {
		b->buffer = xmalloc(BUFFER);
		b->wait = xmalloc(WAIT_MOST * BTRFS_SUM);
	}
	while (b->r == 0 && content_next_blocks(&rd, BTRFS_BLOCK, end, &start, &len)) {
		struct btrfs_data d = { (uint64_t)len, (uint64_t)start, f->number };
		struct btrfs_run run = { .at = d.at };

		run.place = btrfs_data_new(b, &d, &run.len);
		copy_run(b, &rd, &run);
		VEC_GROW(b->runs, b->nruns, b->runs_room);
		b->runs[b->nruns++] = run;
		end = (int64_t)(run.at + run.len);
	}
	if (b->r < 0 && f->content.path)
		b->r = error_wrap(b->err, b->r, "%s", f->content.path);
}

/* src/image/tar_read.h - a tar archive from a stream of bytes, entry by entry.
 *
 * ustar, pax (path, linkpath, size, uid, gid, mtime, SCHILY.xattr.*, LIBARCHIVE.xattr.*), GNU (long
 * names, base-256 numbers), sparse files of all four kinds.  Global pax headers are passed over, as
 * all that read layers do.  The archive is hostile: what is damaged, or outside of what a
 * file system could hold, is -EBADMSG with a text that says what.
 */
#ifndef IMAGE_TAR_READ_H
#define IMAGE_TAR_READ_H

#include <stdbool.h>

#include "base/error.h"
#include "image/tar.h"

struct tar_reader;

/* Where the bytes come from: as stream_next(). */
typedef ssize_t (*tar_feed)(void *data, const void **ret_bytes, struct error *err);

struct tar_reader *tar_reader_new(tar_feed feed, void *data);
void tar_reader_free(struct tar_reader *t);
DEFINE_CLEANUP(struct tar_reader *, tar_reader, tar_reader_free);

/* 1: an entry, valid until the next call; 0: the archive has ended.  Data not read is passed over.
 */
int tar_next(struct tar_reader *t, const struct tar_entry **ret, struct error *err) must_check;
/* The next piece of the file's data and where it belongs; 0: no more. */
ssize_t tar_data(struct tar_reader *t, const void **ret, int64_t *ret_offset,
		 struct error *err) must_check;
/* For a feed that can seek: passes over len bytes behind what it gave.  Returns 0 or -errno. */
void tar_reader_set_skip(struct tar_reader *t,
			 int (*skip)(void *data, int64_t len, struct error *err));
/* Bytes of the archive up to here; after tar_next(), where the entry's data starts. */
int64_t tar_position(const struct tar_reader *t);
bool tar_is_sparse(const struct tar_reader *t); /* the entry's file has holes */

#endif

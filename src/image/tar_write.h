/* src/image/tar_write.h - a tar archive, the same bytes for the same entries.
 *
 * ustar where an entry fits, else a pax header with just the records that it needs, sorted.  Times
 * are whole seconds unless it is told otherwise; no user names, no access times, nothing of this
 * machine.
 */
#ifndef IMAGE_TAR_WRITE_H
#define IMAGE_TAR_WRITE_H

#include "base/error.h"
#include "image/tar.h"

struct tar_writer;

/* Where the bytes go. */
typedef int (*tar_sink)(void *data, const void *bytes, size_t len, struct error *err);

struct tar_writer *tar_writer_new(tar_sink sink, void *data);
void tar_writer_free(struct tar_writer *w);
DEFINE_CLEANUP(struct tar_writer *, tar_writer, tar_writer_free);

/* From here on times have their fractions. */
void tar_writer_keep_fractions(struct tar_writer *w);

/* A header; a file's size bytes of data follow by tar_put_data(), in pieces: of one with a map, the
 * bytes that the map names, one run after the other.
 */
int tar_put(struct tar_writer *w, const struct tar_entry *e, struct error *err) must_check;
int tar_put_data(struct tar_writer *w, const void *bytes, size_t len, struct error *err) must_check;
/* A whole small file. */
int tar_put_file(struct tar_writer *w, const char *name, const void *bytes, size_t len,
		 struct error *err) must_check;
/* The end mark; everything is with the sink then. */
int tar_put_end(struct tar_writer *w, struct error *err) must_check;

#endif

/* src/builder/unpack_filter.h - the bytes of a file that is packed with bzip2 or xz, which no layer
 * is.
 *
 * libarchive knows both; archives themselves are read by image/tar_read.h, whose strictness is
 * ours.
 */
#ifndef BUILDER_UNPACK_FILTER_H
#define BUILDER_UNPACK_FILTER_H

#include <sys/types.h>

#include "base/error.h"

struct filter;

/* fd: a file, read from its start, borrowed.  1: it is packed with neither. */
int filter_open(int fd, struct filter **ret) must_check;
/* The next bytes, valid until the next call; 0 at the end. */
ssize_t filter_next(struct filter *f, const void **ret, struct error *err) must_check;
void filter_close(struct filter *f);
DEFINE_CLEANUP(struct filter *, filter, filter_close);

#endif

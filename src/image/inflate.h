/* src/image/inflate.h - gzip and zstd as a filter over buffers; plain data passes. */
#ifndef IMAGE_INFLATE_H
#define IMAGE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct inflate;

/* By the first bytes of a blob. */
enum packing packing_detect(const void *bytes, size_t len);

const char *packing_name(enum packing packing); /* "none", "gzip", "zstd" */

struct inflate *inflate_new(enum packing packing); /* not PACKING_NONE */
void inflate_free(struct inflate *f);

/* One step: *in_used and *out_used move forward.  -EBADMSG. */
int inflate_step(struct inflate *f, const unsigned char *in, size_t in_len, size_t *in_used,
		 unsigned char *out, size_t out_len, size_t *out_used,
		 struct error *err) must_check;
/* Nothing is open: a member or frame ended, and nothing followed. */
bool inflate_at_end(const struct inflate *f);
/* It has reserved more memory than packers commonly ask for: up to 128 MiB. */
bool inflate_is_large(const struct inflate *f);

#endif

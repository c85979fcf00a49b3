/* src/image/pack.h - compressing, on all cores, to bytes that do not depend on how many there are.
 *
 * gzip: members of 1 MiB each, by ISA-L, with headers that say neither time nor name; zstd: one
 * frame by the library's own workers.
 */
#ifndef IMAGE_PACK_H
#define IMAGE_PACK_H

#include <stddef.h>

#include "base/error.h"
#include "image/inflate.h"

struct packer;

typedef int (*pack_sink)(void *data, const void *bytes, size_t len, struct error *err);

/* PACKING_NONE hands on what it gets. */
struct packer *packer_new(enum packing packing, pack_sink sink, void *data);
void packer_free(struct packer *p);
DEFINE_CLEANUP(struct packer *, packer, packer_free);
int packer_put(struct packer *p, const void *bytes, size_t len, struct error *err) must_check;
int packer_end(struct packer *p, struct error *err) must_check;

#endif

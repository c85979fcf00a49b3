/* src/image/package.h - what save writes: files under names, as a tar archive or as a directory.
 *
 * It grows under a temporary name beside its place and appears there when it is whole; an archive
 * may also go to standard output, byte by byte.
 */
#ifndef IMAGE_PACKAGE_H
#define IMAGE_PACKAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct package;
struct tar_writer;

/* path "-": standard output; one for a directory must not exist, or be empty. */
int package_open(const char *path, bool directory, struct package **ret,
		 struct error *err) must_check;
int package_publish(struct package *p, struct error *err) must_check;
void package_close(struct package *p); /* what was not published is gone */
DEFINE_CLEANUP(struct package *, package, package_close);

bool package_has(const struct package *p, const char *name);
int package_add(struct package *p, const char *name, const void *bytes, size_t len,
		struct error *err) must_check;
/* A file of size bytes, which follow in pieces. */
int package_begin(struct package *p, const char *name, int64_t size, struct error *err) must_check;
int package_data(void *package, const void *bytes, size_t len, struct error *err) must_check;
int package_end(struct package *p, struct error *err) must_check;
/* For what writes entries of its own; NULL for a directory. */
struct tar_writer *package_tar(struct package *p);

#endif

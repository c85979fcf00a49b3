/* src/image/tar_out.h - a tree as an archive in a file, which appears when it is whole. */
#ifndef IMAGE_TAR_OUT_H
#define IMAGE_TAR_OUT_H

#include <stdint.h>

#include "base/error.h"

struct changes_request;

/* path "-": standard output.  Later times of files become newest_s; -1: they stay. */
int tar_out(const char *path, const struct changes_request *req, int64_t newest_s,
	    struct error *err) must_check;

#endif

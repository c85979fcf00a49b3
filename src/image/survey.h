/* src/image/survey.h - what lies in a root: how much, and what widens the surface for an attack. */
#ifndef IMAGE_SURVEY_H
#define IMAGE_SURVEY_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/distribution.h"

struct survey {
	int64_t files, directories, links, others;
	int64_t bytes;       /* of the files, each inode once */
	int64_t executables; /* files with an x bit */
	struct strv set_id;  /* "4755 0:0 usr/bin/su" */
	struct strv capable; /* files with capabilities of their own */
	struct strv open; /* files that everybody may write to, directories without a sticky bit */
	struct strv devices;
	struct distribution distribution;
	struct packages packages;
};

/* view: kernel/overlay.h. */
int survey_read(int view, struct survey *ret, struct error *err) must_check;
void survey_done(struct survey *s);

#endif

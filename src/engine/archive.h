/* src/engine/archive.h - images that are not in the store yet: an archive at a path, a name that a
 * registry knows.  strake-image brings them in.
 */
#ifndef ENGINE_ARCHIVE_H
#define ENGINE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/id.h"

struct engine;
struct strv;

/* An archive of images by its only image, any other as a root file system, an image of one layer
 * without a name.  ret_id is the image's.
 */
int archive_import(const struct engine *engine, const char *path, char ret_id[ID_LEN + 1],
		   struct error *err) must_check;

#define ARCHIVE_ANSWER_MAX 4096

/* strake-image with this store and words, which end with NULL; its answer is one line.  output
 * takes what it says besides; NULL: that goes to standard error.  -EIO: it failed.
 */
struct archive_call {
	const char *const *words;
	void (*output)(void *data, const void *bytes, size_t len);
	void *data;
};
int archive_run(const struct engine *engine, const struct archive_call *call,
		char ret[ARCHIVE_ANSWER_MAX], struct error *err) must_check;

struct fetch_request {
	const char *name;
	const char *platform;     /* or NULL */
	bool always;              /* also if what it stands for is there */
	const struct strv *flags; /* further options of pull; NULL */
	/* Takes the progress and the reasons of a failure; NULL: they go to standard error. */
	void (*output)(void *data, const void *bytes, size_t len);
	void *data;
};

/* From the registry that the name says. */
int archive_fetch(const struct engine *engine, const struct fetch_request *req,
		  char ret_id[ID_LEN + 1], struct error *err) must_check;

#endif

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

/* An archive of images by its only image, any other as a root file system, an image of one layer
 * without a name.  ret_id is the image's.
 */
int archive_import(const struct engine *engine, const char *path, char ret_id[ID_LEN + 1],
		   struct error *err) must_check;

struct fetch_request {
	const char *name;
	const char *platform; /* or NULL */
	bool always;          /* also if what it stands for is there */
	/* Takes the progress and the reasons of a failure; NULL: they go to standard error. */
	void (*output)(void *data, const void *bytes, size_t len);
	void *data;
};

/* From the registry that the name says. */
int archive_fetch(const struct engine *engine, const struct fetch_request *req,
		  char ret_id[ID_LEN + 1], struct error *err) must_check;

#endif

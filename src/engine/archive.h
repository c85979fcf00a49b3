/* src/engine/archive.h - images that are not in the store yet: an archive at a path, a name that a
 * registry knows.  strake-image brings them in.
 */
#ifndef ENGINE_ARCHIVE_H
#define ENGINE_ARCHIVE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"

struct engine;

/* An archive of images by its only image, any other as a root file system, an image of one layer
 * without a name.  ret_id is the image's.
 */
int archive_import(const struct engine *engine, const char *path, char ret_id[ID_LEN + 1],
		   struct error *err) must_check;

/* From the registry that the name says, unless what it stands for is there and always is false.
 * Progress and the reasons of a failure go to standard error.  platform: or NULL.
 */
int archive_fetch(const struct engine *engine, const char *name, const char *platform, bool always,
		  char ret_id[ID_LEN + 1], struct error *err) must_check;

#endif

/* src/engine/archive.h - a tar archive given where an image is wanted. */
#ifndef ENGINE_ARCHIVE_H
#define ENGINE_ARCHIVE_H

#include "base/error.h"
#include "base/id.h"

struct engine;

/* Has strake-image bring it in: an archive of images by its only image, any other as a root file
 * system, an image of one layer without a name.  ret_id is the image's.
 */
int archive_import(const struct engine *engine, const char *path, char ret_id[ID_LEN + 1],
		   struct error *err) must_check;

#endif

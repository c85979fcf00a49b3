/* src/image/layer.h - one layer's tar stream, unpacked as an overlay's lower directory.
 *
 * image-spec layer.md: ".wh.NAME" hides NAME of the layers below, ".wh..wh..opq" all of a
 * directory; overlayfs says the same with a character device 0:0 and the attribute
 * trusted.overlay.opaque (user.overlay.opaque in a user namespace).  Names are hostile: each is
 * resolved with openat2(RESOLVE_IN_ROOT) inside the new directory, so that neither "..", absolute
 * names nor links lead out of it.
 */
#ifndef IMAGE_LAYER_H
#define IMAGE_LAYER_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct frame_writer;
struct stream;

struct layer_request {
	int dir_fd; /* empty, where it goes */
	/* Asked once, when something of the layers below is needed (a hard link may point there):
	 * adds their directories, the uppermost first.  NULL: nobody knows them yet; whiteouts are
	 * left for layer_drop_whiteouts(), and what else needs them ends in -ENODATA.
	 */
	int (*lower)(void *data, struct strv *ret, struct error *err);
	void *data;
	struct frame_writer *frame; /* gets what the tree does not have; or NULL */
	uint64_t entries_max;       /* 0: eight million, an inode each */
};

struct layer_result {
	int64_t size;          /* of the files together */
	uint64_t left_out;     /* devices that this user namespace may not make */
	struct strv whiteouts; /* paths; only without layers below, and the caller's */
};

/* Unpacks all of it. */
int layer_apply(const struct layer_request *req, struct stream *stream, struct layer_result *ret,
		struct error *err) must_check;

/* Those that hide nothing in the layers below (directories, the uppermost first) go: they would
 * show in a directory that has nothing below.
 */
int layer_drop_whiteouts(int dir_fd, const struct strv *whiteouts, const struct strv *lower,
			 struct error *err) must_check;

#endif

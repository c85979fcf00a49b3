/* src/image/fresh.h - a layer whose diff ID nobody knows yet: of a commit, an import, a build.
 *
 * Its archive is read once, from a pipe or a file; hashed, unpacked and put into the store under
 * the chain ID that comes of it.
 */
#ifndef IMAGE_FRESH_H
#define IMAGE_FRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct incoming;
struct unpack_layer;

/* below: the chain IDs of the layers below, the lowest first.  With keep the archive stays, as it
 * must if others made it: only they can make the same bytes again.  A plain one stays as the tree
 * and its frame, a packed one as a blob.
 */
int fresh_layer(const struct incoming *in, const struct strv *below, int fd, bool keep,
		struct unpack_layer *ret, struct error *err) must_check;
/* A directory that is the layer as it is: TMP/name/diff, where name is in in->tmp_fd.  Its archive
 * is only hashed.  Later times of its files become newest_s (-1: they stay).  0 if it changes
 * nothing: then there is no layer, and ret says nothing; else 1.
 */
int fresh_adopt(const struct incoming *in, const struct strv *below, const char *name,
		int64_t newest_s, struct unpack_layer *ret, struct error *err) must_check;

/* What both end with: the layer's chain ID, and its directory under that name. */
void fresh_find_chain(const struct strv *below, struct unpack_layer *layer);
int fresh_publish(const struct incoming *in, const char *name, struct unpack_layer *layer,
		  struct error *err) must_check;

struct changes_request;

/* The archive of a directory's changes, or the one that a frame makes of it (-1: none; ours to
 * close), as a pipe that a thread of ours fills.
 */
struct changes_pipe;
int changes_pipe_open(const struct changes_request *req, int64_t newest_s, int frame_fd,
		      struct changes_pipe **ret, int *ret_fd, struct error *err) must_check;
/* Closes fd and waits for the end.  r is how the reader fared; a failure of the writer explains it
 * better and is returned in its place.
 */
int changes_pipe_close(struct changes_pipe *p, int fd, int r, struct error *err) must_check;

#endif

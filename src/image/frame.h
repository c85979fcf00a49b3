/* src/image/frame.h - a plain layer's archive without what its tree has: headers, padding, order.
 *
 * Another's archive cannot be made again from a tree alone; from the tree and its frame it is, byte
 * by byte.  An archive that has more than the tree will have (a file that a later entry replaces)
 * is made again as long as that is possible and from there on written whole: then there is a blob
 * in place of the frame.  ROOT/layers/CHAIN/frame is gzip of pieces: 'B', a length, bytes; or 'F',
 * a size, the length of a path, the path of a file in the tree.  Numbers have eight bytes, the
 * lowest first.
 */
#ifndef IMAGE_FRAME_H
#define IMAGE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/pack.h"

struct frame_writer;

int frame_writer_new(int layer_dir, struct frame_writer **ret, struct error *err) must_check;
void frame_writer_free(struct frame_writer *w);
DEFINE_CLEANUP(struct frame_writer *, frame_writer, frame_writer_free);

/* The next bytes of the archive; they stay where they are until frame_settle(). */
void frame_take(struct frame_writer *w, const void *bytes, size_t len);
/* Before the bytes of the last piece go: stream_next() writes over them. */
void frame_settle(struct frame_writer *w);
/* From start on size bytes of the archive are a file's; of what was taken not more than the last
 * piece may lie behind start.
 */
void frame_put_file(struct frame_writer *w, int64_t start, int64_t size, const char *path);
/* Something will be removed from the tree again, so that a path would not lead to what was written
 * there: now is the last time that tree and frame give what has been taken.
 */
int frame_spoil(struct frame_writer *w, int tree_fd, struct error *err) must_check;
bool frame_is_spoilt(const struct frame_writer *w);
/* -ESTALE: it was spoiled, and there is no frame. */
int frame_end(struct frame_writer *w, struct error *err) must_check;
/* After that -ESTALE: the archive, a nameless file in the layer's directory; the caller's. */
int frame_steal_blob(struct frame_writer *w);

/* -ENOENT if the layer has none. */
int frame_open(int layers_fd, const char *chain);
/* The archive, if the tree is what was unpacked: what is missing of a file is zeros, so that the
 * digest tells.  -EUCLEAN: the frame itself is damaged.
 */
int frame_write(int frame_fd, int tree_fd, pack_sink sink, void *data,
		struct error *err) must_check;

#endif

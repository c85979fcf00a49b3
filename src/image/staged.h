/* src/image/staged.h - a plain layer unpacked as it comes through a pipe, before anybody knows
 * whose.
 *
 * The members of an archive that cannot be read twice come before the manifest that says what they
 * are.  One that looks like a plain layer grows here in a directory of its own, as a tree and a
 * frame (frame.h), hashed as it comes.  Whoever finds it in a manifest takes the directory over;
 * what nobody takes goes with the place that it is in.  A layer that needs those below to be
 * unpacked at all (a hard link to a file there, a directory that it does not describe) and one that
 * the tree would not have all of become a nameless file instead: made of what is there so far, and
 * then of what still comes.
 */
#ifndef IMAGE_STAGED_H
#define IMAGE_STAGED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/digest.h"

#define STAGED_HEAD 512 /* bytes by which a layer is told */

bool staged_is_layer(const unsigned char head[STAGED_HEAD]);

struct staged;

/* The directory is made below tmp_fd, which has to stay; root_fd is the store's. */
int staged_begin(int root_fd, int tmp_fd, struct staged **ret, struct error *err) must_check;
int staged_put(struct staged *s, const void *bytes, size_t len, struct error *err) must_check;
/* All has come.  What was wrong with it is told to whoever wants it. */
void staged_end(struct staged *s);
void staged_free(struct staged *s);
DEFINE_CLEANUP(struct staged *, staged, staged_free);

/* What has come as a file of its own, the receiver's; made of the tree if it is not one.  Several
 * threads may ask.
 */
int staged_file(struct staged *s, int *ret, struct error *err) must_check;

struct staged_layer {
	char diff_id[DIGEST_HEX_LEN + 1];
	int64_t size, tar_size;
	uint64_t left_out;
	const struct strv *whiteouts; /* for layer_drop_whiteouts() */
};

/* 1 if it can be taken over; 0: it is a file, or was taken already. */
int staged_look(struct staged *s, struct staged_layer *ret, struct error *err) must_check;
/* Finishes it, now that the layers below are known (directories, the uppermost first), and moves
 * tree and frame into dir, which is empty and is ROOT/tmp/CHAIN or CHAIN below tmp_fd, and then
 * ROOT/layers/CHAIN.  1, or 0 if somebody else was first.
 */
int staged_take(struct staged *s, int dir, const char *chain, const struct strv *lower,
		struct error *err) must_check;

#endif

/* src/image/claim.h - who makes a layer: a lock on ROOT/tmp/CHAIN.
 *
 * Whoever wants the same layer waits for its maker and has it for nothing.  But a config is a
 * stranger's, and may claim any layer: so nobody waits longer than the layers that he waits for
 * would take him at a slow rate, and not for one who makes no progress.  After that he makes them
 * alone, in a place of his own; the one who is ready first publishes.
 */
#ifndef IMAGE_CLAIM_H
#define IMAGE_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct incoming;

/* How long a run still waits, over all its layers. */
struct patience {
	struct strv chains;  /* those that it waits for: one that grows is progress */
	int64_t end_ms;      /* 0: it has not begun to wait */
	int64_t progress_ms; /* when it was seen last */
	int64_t bytes;       /* what they took then */
	bool over;           /* for good */
};

/* bytes: of the blobs that are waited for, as their manifest says. */
void patience_begin(struct patience *p, int64_t bytes);
void patience_done(struct patience *p);

/* Opens and locks an empty ROOT/tmp/CHAIN, or after all patience ROOT/tmp/ID/CHAIN; *ret_path is
 * that below ROOT, the caller's.  1: the layer is there already.  -EWOULDBLOCK: somebody has it;
 * with patience that is only an answer after a while, in which others may have come: ask again.
 */
int claim_layer(const struct incoming *in, const char *chain, struct patience *patience,
		int *ret_dir, char **ret_path, struct error *err) must_check;

/* Whole: its description came last, before the directory had this name. */
bool layer_is_there(const struct incoming *in, const char *chain);

#endif

/* src/image/step.h - what build steps gave: the build cache.
 *
 * A key stands for everything that a step's result depends on; its row names the layer that came of
 * it, which stays in the store as long as the row does.  Two keys may name one layer.
 */
#ifndef IMAGE_STEP_H
#define IMAGE_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"

struct db;
struct layer_info;

struct step {
	char key[DIGEST_HEX_LEN + 1];
	char parent[DIGEST_HEX_LEN + 1]; /* chain ID below; "" for nothing */
	char what[DIGEST_HEX_LEN + 1];   /* of the instruction alone */
	char reads[DIGEST_HEX_LEN + 1];  /* of the content that it reads; "" if none */
	char chain[DIGEST_HEX_LEN + 1];  /* of what came of it; parent's if it changed nothing */
	int64_t created_ns;
};

/* *ret_found says whether there is one whose layer is there, too; then it counts as used now, to
 * the hour.
 */
int step_find(struct db *db, int root_fd, const char *key, struct step *ret, bool *ret_found,
	      struct error *err) must_check;
/* What a row for the key names; "" if there is none. */
int step_chain(struct db *db, const char *key, char ret[DIGEST_HEX_LEN + 1],
	       struct error *err) must_check;
/* info: of a layer that is new in the store, or NULL. */
int step_insert(struct db *db, const struct step *step, const struct layer_info *info,
		struct error *err) must_check;

/* Why there is no row for a key like this. */
enum step_miss {
	STEP_NEW,    /* nothing was ever built by this instruction */
	STEP_PARENT, /* it was, on something else */
	STEP_READS,  /* it was here, and read something else */
	STEP_PRUNED, /* there is a row, and its layer is gone */
};
int step_why(struct db *db, const struct step *step, enum step_miss *ret,
	     struct error *err) must_check;

/* The row of a key and those of other keys for the same; the caller frees items. */
struct step_rows {
	struct step *items;
	size_t n, room;
};
int step_same(struct db *db, const char *key, struct step_rows *ret, struct error *err) must_check;

struct step_prune {
	int64_t unused_since_ns; /* rows that were used later stay; INT64_MAX: none does */
	int64_t keep_bytes;      /* the most lately used stay, up to this much; 0: none */
	int64_t steps, bytes;    /* answered: what went, and the room that it made */
};
int step_prune(struct db *db, int root_fd, struct step_prune *prune, struct error *err) must_check;

#endif

/* src/why/trail.h - a probe's way as pictures: one for each network namespace that it came through,
 * in order, with the stations and chains that it met.
 */
#ifndef WHY_TRAIL_H
#define WHY_TRAIL_H

#include "why/draw.h"

struct journey;
struct judgement;
struct path;

struct trail {
	struct picture *pictures; /* valid as long as the journey */
	struct path *paths;       /* of each */
	char **titles;
	size_t n;
};

/* Of each probe, its answer and an error about it.  A namespace whose rules cannot be read has
 * none, and neither has a frame on a bridge without rules.
 */
void trail_make(struct journey *j, const struct judgement *judgement, struct trail *ret);
void trail_done(struct trail *trail);

#endif

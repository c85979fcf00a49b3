/* src/lab/lane.h - frames on their way through a cable that delays, loses or holds them back: one
 * direction of it.  Knows neither sockets nor clocks: times are nanoseconds that the caller gives.
 */
#ifndef LAB_LANE_H
#define LAB_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/topology.h"

#define LANE_FRAMES_MAX 1000 /* that wait; more are lost, as with netem */

struct lane_frame {
	int64_t due_ns;
	uint64_t number; /* frames due at once keep their order */
	size_t len;
	unsigned char *bytes;
};

struct lane {
	struct impairment impair;
	int64_t free_ns; /* when the last bit of the last frame is out */
	uint64_t seed;   /* of its chances; not 0 */
	uint64_t number;
	struct lane_frame *heap;
	size_t n, room;
	uint64_t lost; /* by chance, and because too many waited */
};

void lane_init(struct lane *lane, const struct impairment *impair, uint64_t seed);
void lane_done(struct lane *lane);
/* Copies the frame, unless it is lost. size is what it has on the wire. */
void lane_put(struct lane *lane, const void *bytes, size_t len, size_t size, int64_t now_ns);
/* When the next frame is due; INT64_MAX: none waits. */
int64_t lane_due(const struct lane *lane);
/* The next frame that is due by now; the caller frees its bytes.  False: none. */
bool lane_take(struct lane *lane, int64_t now_ns, struct lane_frame *ret);

#endif

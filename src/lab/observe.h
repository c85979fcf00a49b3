/* src/lab/observe.h - hears every frame on every interface of a lab, and sends any.
 *
 * An observer has one packet socket in each node, which hears all interfaces there, coming and
 * going.  Frames lie in a ring that the kernel writes with the time of each; observer_take() reads
 * all rings and gives what is new in the order of time.  Nothing in the lab changes by it.
 *
 * Frames are on their way for as long as the lab's links say, else they arrive before sending
 * returns, unless the machine is busy: observer_settle() waits until nothing moves any more.
 */
#ifndef LAB_OBSERVE_H
#define LAB_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "lab/frame.h"
#include "lab/lab.h"

struct sight {
	int64_t ns; /* when, since 1970 */
	size_t node;
	size_t interface; /* index into the node's interfaces; NO_INDEX: one that the file lacks */
	int index;        /* the kernel's, of the interface */
	bool out;         /* it left here, else it came in */
	size_t at, len;   /* in bytes */
	size_t wire_len;  /* of the frame: len is shorter where it was cut */
	uint64_t serial;  /* orders what has the same time */
};

struct sights {
	struct sight *items;
	size_t n, room;
	struct buf bytes;
	uint64_t lost; /* frames that found a ring full */
};
#define SIGHTS_BYTES_MAX (1U << 30)
#define SIGHTS_INIT      ((struct sights) { .bytes = BUF_INIT(SIGHTS_BYTES_MAX) })
void sights_done(struct sights *s);
void sights_reset(struct sights *s);
static inline const uint8_t *sight_bytes(const struct sights *s, const struct sight *sight)
{
	return (const uint8_t *)s->bytes.data + sight->at;
}

enum observe_flags {
	OBSERVE_ALL = 0,
	OBSERVE_IN = 1, /* only what comes in */
	OBSERVE_SMALL =
		2, /* small rings: room for 4 frames of each interface between two readings */
};

struct observer;
/* type: only frames of that type, 0: all.  nodes: NULL or which nodes; the others can be sent from,
 * not heard.
 */
int observer_open(struct lab *lab, uint16_t type, unsigned flags, const bool *nodes,
		  struct observer **ret, struct error *err) must_check;
void observer_close(struct observer *o);
DEFINE_CLEANUP(struct observer *, observer, observer_close);

/* A whole frame out of an interface, as its driver would get it. */
int observer_send(struct observer *o, size_t node, int index, const void *bytes, size_t len,
		  struct error *err) must_check;
/* How many there are to be read; appended. */
size_t observer_take(struct observer *o, struct sights *to);
/* Takes until nothing is heard and nothing waits for as long as a frame may be under way, or a
 * deadline: a lab where it never ends has a storm.  Returns whether it became quiet.
 */
bool observer_settle(struct observer *o, struct sights *to, unsigned limit_ms);
/* Waits for a frame; false: the time is over, or other_fd (-1: none) can be read. */
bool observer_wait(struct observer *o, int timeout_ms, int other_fd);

/* Waits until no port of a bridge with spanning tree is on its way to forwarding. */
int bridges_wait(struct lab *lab, struct error *err) must_check;
/* More cables between bridges than a tree has. */
bool topology_may_loop(const struct topology *t);

/* How long a frame and its answer may be under way, by what the file says of delays. */
unsigned lab_delay_ms(const struct topology *t);
/* Nothing in any queue between network devices. */
bool network_is_idle(void);

#endif

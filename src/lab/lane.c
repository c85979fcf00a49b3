/* src/lab/lane.c */
#include "lab/lane.h"

#include <string.h>

#include "base/alloc.h"

#define NS_PER_S 1000000000ULL

void lane_init(struct lane *lane, const struct impairment *impair, uint64_t seed)
{
	*lane = (struct lane) { .impair = *impair, .seed = seed | 1 };
}

void lane_done(struct lane *lane)
{
	for (size_t i = 0; i < lane->n; i++)
		free(lane->heap[i].bytes);
	free(lane->heap);
	lane->heap = NULL;
	lane->n = lane->room = 0;
}

/* xorshift64: chance enough for frames, and the same for the same seed. */
static uint64_t chance(struct lane *lane)
{
	lane->seed ^= lane->seed << 13;
	lane->seed ^= lane->seed >> 7;
	lane->seed ^= lane->seed << 17;
	return lane->seed;
}

static bool before(const struct lane_frame *a, const struct lane_frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void swap(struct lane_frame *a, struct lane_frame *b)
{
	struct lane_frame c = *a;

	*a = *b;
	*b = c;
}

static int64_t due(struct lane *lane, size_t size, int64_t now_ns)
{
	const struct impairment *im = &lane->impair;
	int64_t out = MAX(now_ns, lane->free_ns), delay = (int64_t)im->delay_us * 1000;

	if (im->rate_bps)
		out += (int64_t)(size * 8 * NS_PER_S / im->rate_bps);
	lane->free_ns = out;
	if (im->jitter_us) {
		int64_t span = (int64_t)im->jitter_us * 1000;

		delay += (int64_t)(chance(lane) % (uint64_t)(2 * span + 1)) - span;
	}
	return out + delay;
}

void lane_put(struct lane *lane, const void *bytes, size_t len, size_t size, int64_t now_ns)
{
	struct lane_frame frame = { .len = len };
	size_t i;

	if (lane->n >= LANE_FRAMES_MAX || chance(lane) % 1000000 < lane->impair.loss_ppm) {
		lane->lost++;
		return;
	}
	frame.due_ns = due(lane, size, now_ns);
	frame.number = lane->number++;
	frame.bytes = xmalloc(len);
	memcpy(frame.bytes, bytes, len);
	VEC_GROW(lane->heap, lane->n, lane->room);
	i = lane->n++;
	lane->heap[i] = frame;
	for (; i > 0 && before(&lane->heap[i], &lane->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&lane->heap[i], &lane->heap[(i - 1) / 2]);
}

int64_t lane_due(const struct lane *lane)
{
	return lane->n ? lane->heap[0].due_ns : INT64_MAX;
}

bool lane_take(struct lane *lane, int64_t now_ns, struct lane_frame *ret)
{
	size_t i = 0;

	if (lane_due(lane) > now_ns)
		return false;
	*ret = lane->heap[0];
	lane->heap[0] = lane->heap[--lane->n];
	for (;;) {
		size_t first = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < lane->n; child++)
			if (before(&lane->heap[child], &lane->heap[first]))
				first = child;
		if (first == i)
			return true;
		swap(&lane->heap[i], &lane->heap[first]);
		i = first;
	}
}

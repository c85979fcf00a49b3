/* src/transfer/progress.c */
#include "transfer/progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/number.h"

#define TICK_MS   100
#define RATE_MS   500 /* of a shorter time nothing can be said */
#define NAME_LEN  12
#define BAR_WIDTH 24
#define ROWS_MAX  30 /* of a terminal whose height is not known */

struct item {
	char name[NAME_LEN + 1];
	int64_t total;
	const atomic_llong *got;
	int64_t first_ms; /* the last look that saw no byte of it; 0: none was seen yet */
	int64_t end_ms;   /* the look that saw it whole; 0 */
	bool told;        /* that it is whole, in plain form */
};

struct progress {
	FILE *to;
	enum progress_kind kind;
	bool bars;
	const char *verb;
	struct item *items;
	size_t n, room;
	int64_t look_ms; /* the last look */
	size_t drawn;    /* lines that stand on the terminal */
	bool running, stop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

struct progress *progress_new(FILE *to, enum progress_kind kind)
{
	struct progress *p = xnew(struct progress);
	pthread_condattr_t attr;

	p->to = to;
	p->kind = kind;
	p->bars = kind == PROGRESS_AUTO && isatty(fileno(to));
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return p;
}

void progress_add(struct progress *p, const char *name, int64_t total, const atomic_llong *got)
{
	struct item *item;

	VEC_GROW(p->items, p->n, p->room);
	item = &p->items[p->n++];
	*item = (struct item) { .total = total, .got = got };
	(void)snprintf(item->name, sizeof(item->name), "%s", name);
}

static void format_rate(const struct item *item, int64_t got, int64_t now, char ret[64])
{
	int64_t ms = (item->end_ms ? item->end_ms : now) - item->first_ms, left;
	char rate[NUMBER_SIZE_LEN];

	ret[0] = '\0';
	if (!item->first_ms || got == 0 || ms < RATE_MS)
		return;
	number_format_size((uint64_t)(got * 1000 / ms), rate);
	left = got < item->total ? (item->total - got) * ms / got / 1000 : 0;
	if (got < item->total)
		(void)snprintf(ret, 64, "%s/s, %lld:%02lld left", rate, (long long)left / 60,
			       (long long)left % 60);
	else
		(void)snprintf(ret, 64, "%s/s", rate);
}

static void draw_bar(const struct progress *p, const struct item *item, int64_t got, int64_t now)
{
	int64_t total = MAX(item->total, 1);
	int full = (int)(BAR_WIDTH * MIN(got, total) / total);
	char have[NUMBER_SIZE_LEN], all[NUMBER_SIZE_LEN], rate[64];

	number_format_size((uint64_t)got, have);
	number_format_size((uint64_t)item->total, all);
	format_rate(item, got, now, rate);
	(void)fprintf(p->to, "\r\033[K%-12s [%.*s%*s] %9s / %-9s %s\n", item->name, full,
		      "========================", BAR_WIDTH - full, "", have, all, rate);
}

static size_t rows(const struct progress *p)
{
	struct winsize size;
	size_t most = ROWS_MAX;

	if (ioctl(fileno(p->to), TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
		most = size.ws_row - 2U;
	return most;
}

static void erase(struct progress *p)
{
	if (p->drawn)
		(void)fprintf(p->to, "\033[%zuA\033[J", p->drawn);
	p->drawn = 0;
}

/* Those that move; the rest would only push them off the screen. */
static void draw(struct progress *p)
{
	int64_t now = clock_monotonic_ms();
	size_t most = rows(p);

	erase(p);
	for (size_t i = 0; i < p->n && p->drawn < most; i++) {
		int64_t got = atomic_load(p->items[i].got);

		if (got == 0 && !p->items[i].first_ms)
			continue;
		draw_bar(p, &p->items[i], got, now);
		p->drawn++;
	}
	(void)fflush(p->to);
}

static void tell(struct progress *p, struct item *item, int64_t got, int64_t now)
{
	char size[NUMBER_SIZE_LEN], rate[64];

	if (item->told || got < item->total || item->total == 0)
		return;
	item->told = true;
	number_format_size((uint64_t)item->total, size);
	format_rate(item, got, now, rate);
	(void)fprintf(p->to, "%s %s: %s%s%s\n", p->verb, item->name, size, *rate ? ", " : "", rate);
	(void)fflush(p->to);
}

static void look(struct progress *p)
{
	int64_t now = clock_monotonic_ms();

	for (size_t i = 0; i < p->n; i++) {
		int64_t got = atomic_load(p->items[i].got);

		if (got > 0 && !p->items[i].first_ms)
			p->items[i].first_ms = p->look_ms;
		if (got >= p->items[i].total && !p->items[i].end_ms)
			p->items[i].end_ms = now;
		if (!p->bars)
			tell(p, &p->items[i], got, now);
	}
	p->look_ms = now;
	if (p->bars)
		draw(p);
}

static void *run(void *data)
{
	struct progress *p = data;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (pthread_cond_timedwait(&p->changed, &p->lock, &until) == ETIMEDOUT)
			look(p);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

void progress_start(struct progress *p, const char *verb)
{
	p->verb = verb;
	p->look_ms = clock_monotonic_ms();
	p->stop = false;
	if (p->kind != PROGRESS_NONE && p->n > 0)
		p->running = pthread_create(&p->thread, NULL, run, p) == 0;
}

void progress_note(struct progress *p, const char *text)
{
	(void)pthread_mutex_lock(&p->lock);
	if (p->kind != PROGRESS_NONE) {
		erase(p);
		for (const char *c = text; *c; c++)
			(void)fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, p->to);
		(void)fputc('\n', p->to);
		(void)fflush(p->to);
	}
	(void)pthread_mutex_unlock(&p->lock);
}

void progress_stop(struct progress *p)
{
	if (p->running) {
		(void)pthread_mutex_lock(&p->lock);
		p->stop = true;
		(void)pthread_cond_signal(&p->changed);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_join(p->thread, NULL);
		look(p);
	}
	p->running = false;
	p->n = p->drawn = 0;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_stop(p);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->changed);
	free(p->items);
	free(p);
}

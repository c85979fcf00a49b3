/* tests/unit/builder/bench.h - an engine in a scratch directory and a working container from
 * scratch: what steps need to be done without a container.  Include it behind scratch.h.
 */
#ifndef TESTS_UNIT_BUILDER_BENCH_H
#define TESTS_UNIT_BUILDER_BENCH_H

#include <stdio.h>

#include "builder/hand.h"
#include "engine/engine.h"
#include "image/image.h"

struct bench {
	const char *dir;
	struct engine *engine;
	struct hand hand;
	struct build_request req;
	struct error err;
	int context;
};

static inline struct engine *bench_engine(const char *dir)
{
	autofree char *root = xasprintf("%s/store", dir), *run = xasprintf("%s/run", dir);
	const struct engine_options options = { .root = root, .run_root = run };
	struct engine *engine = NULL;

	assert_int_equal(engine_open(&options, &engine, NULL), 0);
	return engine;
}

/* Its context is DIR/ctx. */
static inline void bench_open(struct bench *bench, const char *dir)
{
	autofree char *context = xasprintf("%s/ctx", dir), *name = NULL;

	*bench = (struct bench) { .dir = dir, .engine = bench_engine(dir) };
	assert_int_equal(dir_ensure_at(AT_FDCWD, context, 0755, &bench->context, NULL), 0);
	hand_request_init(&bench->req);
	bench->req.newest_s = 1000000000;
	assert_int_equal(hand_from(bench->engine, &bench->req, "scratch", "bench", &name, NULL), 0);
	bench->req.context = bench->context;
	assert_int_equal(hand_open(bench->engine, "bench", &bench->req, &bench->hand, &bench->err),
			 0);
}

static inline void bench_close(struct bench *bench)
{
	hand_done(&bench->hand);
	(void)close(bench->context);
	engine_close(bench->engine);
}

/* A line of a Containerfile. */
static inline int bench_do(struct bench *bench, const char *line)
{
	bench->err = (struct error) { 0 };
	return hand_line(&bench->hand, line);
}

/* A file of the uppermost layer, "" for none; the caller frees. */
static inline char *bench_layer(const struct bench *bench, const char *name)
{
	return xasprintf("%s/store/layers/%s/diff/%s", bench->dir, state_top(&bench->hand.state),
			 name);
}

static inline char *bench_read(const struct bench *bench, const char *name)
{
	autofree char *path = bench_layer(bench, name);
	char *text = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, path, 1U << 20, &text, NULL, NULL), 0);
	return text;
}

/* The last words of the history. */
static inline const char *bench_said(const struct bench *bench)
{
	const json_t *history = json_object_get(bench->hand.state.doc, "history");

	return json_string_value(json_object_get(
		json_array_get(history, json_array_size(history) - 1), "created_by"));
}

#endif

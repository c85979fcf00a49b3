/* tests/unit/builder/test_finish.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/finish.h"
#include "image/image.h"

static struct image *load(struct bench *bench, const char *id)
{
	struct image *image = NULL;

	assert_int_equal(image_load(engine_db(bench->engine), engine_root_fd(bench->engine), id,
				    &image, NULL),
			 0);
	return image;
}

static int finish(struct bench *bench, const struct strv *names, char ret_id[ID_LEN + 1])
{
	const struct finish_request req = { .names = names, .records = true };

	return build_finish(&bench->hand.build, &bench->hand.state, &req, ret_id, NULL);
}

static void a_state_is_an_image_with_its_names_and_labels(void **state)
{
	struct strv names = { 0 }, labels = { 0 }, bad = { 0 };
	cleanup(image_cleanup) struct image *image = NULL;
	char id[ID_LEN + 1], again[ID_LEN + 1];
	struct bench bench;

	bench_open(&bench, *state);
	strv_add(&names, "docker.io/library/web:1");
	strv_add(&names, "docker.io/library/web:2");
	strv_add(&labels, "a=b");
	strv_add(&labels, "bare");
	strv_add(&bad, "=x");
	assert_int_equal(bench_do(&bench, "WORKDIR /w"), 0);
	bench.hand.req.labels = &labels;
	assert_int_equal(finish(&bench, &names, id), 0);
	image = load(&bench, id);
	assert_int_equal(image->names.n, 2);
	assert_int_equal(image->layers.n, 1);
	assert_true(strv_has(&image->config.labels, "a=b"));
	assert_true(strv_has(&image->config.labels, "bare="));
	assert_string_equal(image->config.created, "2001-09-09T01:46:40.000000000Z");
	/* The same again is the same. */
	assert_int_equal(finish(&bench, &names, again), 0);
	assert_string_equal(id, again);
	bench.hand.req.labels = &bad;
	assert_int_equal(finish(&bench, &names, again), -EINVAL);
	strv_done(&names);
	strv_done(&labels);
	strv_done(&bad);
	bench_close(&bench);
}

static void a_layer_that_is_gone_is_missed(void **state)
{
	autofree char *layers = NULL, *aside = NULL;
	const struct strv names = { 0 };
	char id[ID_LEN + 1];
	struct bench bench;

	bench_open(&bench, *state);
	assert_int_equal(bench_do(&bench, "WORKDIR /w"), 0);
	layers = xasprintf("%s/store/layers/%s/diff", bench.dir, state_top(&bench.hand.state));
	aside = xasprintf("%s/aside", bench.dir);
	assert_int_equal(rename(layers, aside), 0);
	bench.err = (struct error) { 0 };
	assert_int_equal(finish(&bench, &names, id), -ENOENT);
	assert_non_null(strstr(bench.err.text, "was removed meanwhile"));
	assert_int_equal(rename(aside, layers), 0);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_state_is_an_image_with_its_names_and_labels),
		CASE(a_layer_that_is_gone_is_missed),
	};

	return cmocka_run_group_tests_name("builder/finish", tests, NULL, NULL);
}

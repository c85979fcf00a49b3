/* tests/unit/image/test_image.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "image/image.h"

static int parse(const char *text, struct image_config *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;

	assert_int_equal(json_load_bytes(text, strlen(text), "test", &doc, NULL), 0);
	return image_config_parse(doc, ret, err);
}

static void what_the_config_says_is_kept(void **state)
{
	static const char text[] =
		"{\"architecture\":\"arm64\",\"os\":\"linux\",\"created\":\"2026-01-01T00:00:00Z\","
		"\"config\":{\"Entrypoint\":[\"/init\"],\"Cmd\":[\"a\",\"b\"],\"Env\":[\"A=1\"],"
		"\"User\":\"web\",\"WorkingDir\":\"/srv\",\"StopSignal\":\"SIGINT\","
		"\"Volumes\":{\"/data\":{}},\"ExposedPorts\":{\"80/tcp\":{}}}}";
	struct image_config c = { .user = NULL };

	(void)state;
	assert_int_equal(parse(text, &c, NULL), 0);
	assert_string_equal(c.architecture, "arm64");
	assert_string_equal(c.os, "linux");
	assert_string_equal(c.created, "2026-01-01T00:00:00Z");
	assert_string_equal(c.entrypoint.items[0], "/init");
	assert_int_equal(c.cmd.n, 2);
	assert_string_equal(c.env.items[0], "A=1");
	assert_string_equal(c.user, "web");
	assert_string_equal(c.workdir, "/srv");
	assert_string_equal(c.stop_signal, "SIGINT");
	assert_string_equal(c.volumes.items[0], "/data");
	assert_string_equal(c.exposed_ports.items[0], "80/tcp");
	image_config_done(&c);
}

static void what_is_not_said_is_absent(void **state)
{
	static const char *const cases[] = {
		"{}",
		"{\"config\":{}}",
		"{\"config\":null}",
		"{\"config\":{\"Cmd\":null,\"Env\":null,\"User\":\"\",\"Volumes\":null}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_config c = { .user = NULL };

		assert_int_equal(parse(cases[i], &c, NULL), 0);
		assert_int_equal(c.cmd.n + c.env.n + c.volumes.n, 0);
		assert_null(c.user);
		image_config_done(&c);
	}
}

static void refusals_name_the_place(void **state)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
		{ "[]", "expected an object" },
		{ "{\"config\":[]}", "config" },
		{ "{\"config\":{\"Cmd\":\"sh\"}}", "Cmd" },
		{ "{\"config\":{\"Cmd\":[1]}}", "Cmd" },
		{ "{\"config\":{\"Entrypoint\":{}}}", "Entrypoint" },
		{ "{\"config\":{\"Env\":[\"A=1\",null]}}", "Env" },
		{ "{\"config\":{\"User\":5}}", "User" },
		{ "{\"config\":{\"Volumes\":[]}}", "Volumes" },
		{ "{\"architecture\":1}", "architecture" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_config c = { .user = NULL };
		struct error err = { 0 };

		assert_true(parse(cases[i].text, &c, &err) < 0);
		if (!strstr(err.text, cases[i].place))
			fail_msg("'%s' says nothing of %s", err.text, cases[i].place);
	}
}

static void the_uppermost_layer_is_the_first_directory(void **state)
{
	struct image image = { .size = 0 };
	struct strv dirs = { 0 };

	(void)state;
	strv_add(&image.layers, "aa");
	strv_add(&image.layers, "bb");
	image_lower_dirs("/store", &image, &dirs);
	assert_int_equal(dirs.n, 2);
	assert_string_equal(dirs.items[0], "/store/layers/bb/diff");
	assert_string_equal(dirs.items[1], "/store/layers/aa/diff");
	strv_done(&image.layers);
	strv_done(&dirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_config_says_is_kept),
		cmocka_unit_test(what_is_not_said_is_absent),
		cmocka_unit_test(refusals_name_the_place),
		cmocka_unit_test(the_uppermost_layer_is_the_first_directory),
	};

	return cmocka_run_group_tests_name("image/image", tests, NULL, NULL);
}

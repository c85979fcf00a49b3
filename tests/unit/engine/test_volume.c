/* tests/unit/engine/test_volume.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/json.h"
#include "engine/engine.h"
#include "engine/volume.h"

static const char *option(const json_t *mount, size_t index)
{
	const char *text =
		json_string_value(json_array_get(json_object_get(mount, "options"), index));

	return text ? text : "";
}

static const char *member(const json_t *mount, const char *key)
{
	return json_string_value(json_object_get(mount, key));
}

static void sources_are_paths_or_volumes(void **state)
{
	static const struct {
		const char *source, *behind; /* source: behind the scratch directory if with a / */
		const char *made, *destination, *first, *second;
	} cases[] = {
		{ "/new/dir", ":/data", "new/dir", "/data", "rbind", "" },
		{ "/new/dir", ":/data:ro", "new/dir", "/data", "ro", "rbind" },
		{ "/new/dir", ":/data:bind,rslave", "new/dir", "/data", "bind", "rslave" },
		{ "/new/dir", ":/data:z,ro,cached", "new/dir", "/data", "ro", "rbind" },
		{ "name", ":/data", "volumes/name/_data", "/data", "rbind", "" },
	};
	struct engine engine = { .root = *state };
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text = xasprintf("%s%s%s", cases[i].source[0] == '/' ? dir : "",
						cases[i].source, cases[i].behind);
		autofree char *made = xasprintf("%s/%s", dir, cases[i].made);
		cleanup(json_cleanup) json_t *mounts = json_array();
		const json_t *mount;

		assert_int_equal(volume_add_mount(&engine, text, mounts, NULL), 0);
		mount = json_array_get(mounts, 0);
		assert_string_equal(member(mount, "type"), "bind");
		assert_string_equal(member(mount, "source"), made);
		assert_string_equal(member(mount, "destination"), cases[i].destination);
		assert_string_equal(option(mount, 0), cases[i].first);
		assert_string_equal(option(mount, 1), cases[i].second);
		assert_int_equal(access(made, F_OK), 0);
	}
}

static void volumes_that_are_none_are_refused(void **state)
{
	static const char *const cases[] = {
		"",         "/data",      ":/data",      "name:data",      "name:",
		"a b:/x",   "-x:/x",      "a/b:/x",      "name:/x:bogus",  "name:/x:ro:rw",
		"name:/x:", "name:/\xff", "name:/x:ro,", "/dev/null/x:/x", "new:/x:bogus",
	};
	autofree char *not_made = xasprintf("%s/volumes/new", (const char *)*state);
	struct engine engine = { .root = *state };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *mounts = json_array();
		struct error err = { 0 };

		if (volume_add_mount(&engine, cases[i], mounts, &err) >= 0)
			fail_msg("'%s' is taken", cases[i]);
		assert_true(err.text[0]);
		assert_int_equal(json_array_size(mounts), 0);
	}
	assert_int_equal(access(not_made, F_OK), -1);
}

static void a_tmpfs_has_its_own_options(void **state)
{
	static const struct {
		const char *text, *destination, *fourth; /* NULL: refused */
	} cases[] = {
		{ "/tmp", "/tmp", "" },     { "/tmp:size=64m,exec", "/tmp", "size=64m" },
		{ "tmp", NULL, NULL },      { "", NULL, NULL },
		{ "/tmp\xff", NULL, NULL }, { "/tmp:size=\xff", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *mounts = json_array();
		int r = tmpfs_add_mount(cases[i].text, mounts, NULL);
		const json_t *mount = json_array_get(mounts, 0);

		assert_int_equal(r == 0, cases[i].destination != NULL);
		if (r < 0) {
			assert_null(mount);
			continue;
		}
		assert_string_equal(member(mount, "destination"), cases[i].destination);
		assert_string_equal(option(mount, 0), "nosuid");
		assert_string_equal(option(mount, 3), cases[i].fourth);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sources_are_paths_or_volumes, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(volumes_that_are_none_are_refused, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(a_tmpfs_has_its_own_options),
	};

	return cmocka_run_group_tests_name("engine/volume", tests, NULL, NULL);
}

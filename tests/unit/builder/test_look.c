#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "builder/build.h"
#include "builder/look.h"

/* Places are looked at by one test only. */
static void drop_places(json_t *doc)
{
	static const char *const lists[] = { "targets", "args" };
	json_t *one;
	size_t k;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		json_array_foreach (json_object_get(doc, lists[i]), k, one)
			assert_int_equal(json_object_del(one, "location"), 0);
}

/* What is found, or the error, as text; neither call needs a store. */
static char *looked(const char *text, enum look_call call, const char *target, const char *arg,
		    bool places)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct strv args = { 0 };
	const struct build_request req = { .bytes = text,
					   .len = strlen(text),
					   .name = "F",
					   .target = target,
					   .build_args = &args };
	struct fault fault = { 0 };
	struct error err = { 0 };
	char *got;

	if (arg)
		strv_add(&args, arg);
	if (build_look(NULL, &req, call, &doc, &fault, &err) < 0) {
		assert_null(doc);
		got = xstrdup(err.text);
	} else {
		assert_string_equal(
			json_string_value(json_object_get(
				json_array_get(json_object_get(doc, "sources"), 0), "filename")),
			"F");
		assert_int_equal(json_object_del(doc, "sources"), 0);
		if (!places)
			drop_places(doc);
		got = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
		assert_non_null(got);
	}
	strv_done(&args);
	return got;
}

static void targets_are_listed_with_what_is_said_of_them(void **state)
{
	static const struct {
		const char *text, *target, *want;
	} cases[] = {
		{ "FROM scratch\n", NULL,
		  "{\"targets\":[{\"base\":\"scratch\",\"default\":true}]}" },
		{ "# one the first\nFROM --platform=linux/arm64 a AS one\n# other words\nFROM one AS "
		  "two\nFROM two\n",
		  NULL,
		  "{\"targets\":[{\"base\":\"a\",\"description\":\"the first\",\"name\":\"one\","
		  "\"platform\":\"linux/arm64\"},{\"base\":\"one\",\"name\":\"two\"},{\"base\":\"two\",\"default\":true}]}" },
		{ "FROM a AS one\nFROM b AS two\n", "one",
		  "{\"targets\":[{\"base\":\"a\",\"default\":true,\"name\":\"one\"},{\"base\":\"b\","
		  "\"name\":\"two\"}]}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got =
			looked(cases[i].text, LOOK_TARGETS, cases[i].target, NULL, false);

		assert_string_equal(got, cases[i].want);
	}
}

static void an_outline_has_what_the_target_needs_and_no_more(void **state)
{
	static const char text[] =
		"# VERSION of it\nARG VERSION=1\nARG GIVEN=old\n"
		"FROM scratch AS other\nARG UNSEEN\n"
		"FROM scratch AS below\nARG LATER\n"
		"RUN --mount=type=secret,id=key,required=true --mount=type=cache,target=/c x\n"
		"FROM below AS top\nARG VERSION\n"
		"RUN --mount=type=ssh --mount=type=cache,id=own,target=/c x\n"
		"RUN --mount=type=secret,id=key x\n";
	autofree char *got = looked(text, LOOK_OUTLINE, NULL, "GIVEN=new", false);

	(void)state;
	assert_string_equal(
		got, "{\"args\":[{\"description\":\"of it\",\"name\":\"VERSION\",\"value\":\"1\"},"
		     "{\"name\":\"GIVEN\",\"value\":\"new\"},{\"name\":\"LATER\"}],"
		     "\"cache\":[{\"ID\":\"/c\"},{\"ID\":\"own\"}],\"name\":\"top\","
		     "\"secrets\":[{\"name\":\"key\",\"required\":true}],"
		     "\"ssh\":[{\"name\":\"default\"}]}");
}

static void a_place_counts_lines_from_one(void **state)
{
	autofree char *got = looked("\n\nFROM \\\n a\n", LOOK_TARGETS, NULL, NULL, true);

	(void)state;
	assert_non_null(strstr(got, "\"start\":{\"character\":1,\"line\":3}"));
	assert_non_null(strstr(got, "\"end\":{\"character\":0,\"line\":4}"));
}

static void what_cannot_be_built_cannot_be_looked_at(void **state)
{
	static const struct {
		const char *text, *target, *said;
	} cases[] = {
		{ "", NULL, "" },
		{ "RUN x\n", NULL, "" },
		{ "FROM a\n", "none", "none" },
		{ "FROM a\nCOPIE x y\n", NULL, "COPIE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int call = LOOK_CHECK; call <= LOOK_TARGETS; call++) {
			autofree char *got = looked(cases[i].text, (enum look_call)call,
						    cases[i].target, NULL, false);

			assert_true(*got && *got != '{');
			assert_non_null(strstr(got, cases[i].said));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_listed_with_what_is_said_of_them),
		cmocka_unit_test(an_outline_has_what_the_target_needs_and_no_more),
		cmocka_unit_test(a_place_counts_lines_from_one),
		cmocka_unit_test(what_cannot_be_built_cannot_be_looked_at),
	};

	return cmocka_run_group_tests_name("builder/look", tests, NULL, NULL);
}

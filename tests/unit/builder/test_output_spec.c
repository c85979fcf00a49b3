#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/output_spec.h"

static void what_is_written_is_meant(void **state)
{
	static const struct {
		const char *text;
		enum output_type type;
		const char *dest;
	} cases[] = {
		{ "out", OUTPUT_LOCAL, "out" },
		{ "-", OUTPUT_TAR, "-" },
		{ "type=local,dest=out", OUTPUT_LOCAL, "out" },
		{ "dest=a=b.tar,type=tar", OUTPUT_TAR, "a=b.tar" },
		{ "type=tar", OUTPUT_TAR, "-" },
		{ "type=oci,\"dest=a,b\"", OUTPUT_OCI, "a,b" },
		{ "type=docker", OUTPUT_IMAGE, NULL },
		{ "type=docker,dest=-", OUTPUT_DOCKER, "-" },
		{ "type=image", OUTPUT_IMAGE, NULL },
		{ "type=image,name=a:1,push=true", OUTPUT_IMAGE, NULL },
		{ "type=registry,compression=zstd", OUTPUT_REGISTRY, NULL },
		{ "type=oci,tar=false,dest=d", OUTPUT_OCI, "d" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outputs list = { .n = 0 };
		struct error err = { 0 };

		if (output_parse(&list, cases[i].text, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(list.items[0].type, cases[i].type);
		if (cases[i].dest)
			assert_string_equal(list.items[0].dest, cases[i].dest);
		else
			assert_null(list.items[0].dest);
		outputs_done(&list);
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "a directory, -, or type=... is wanted" },
		{ "dest=x", "type= is missing" },
		{ "type=zip,dest=x", "type=zip is not known" },
		{ "type=local", "type=local wants dest=DIRECTORY" },
		{ "type=oci,tar=false", "type=oci wants dest=DIRECTORY" },
		{ "type=oci,tar=maybe", "tar wants true or false" },
		{ "type=image,dest=x", "type=image has no dest" },
		{ "type=tar,compression=gzip,dest=x", "type=tar has no compression" },
		{ "type=oci,nonsense=1", "'nonsense' is not known" },
		{ "type=oci,nonsense", "'nonsense' is not KEY=VALUE" },
		{ "type=oci,\"dest=x", "a quote is not closed" },
		{ "type=oci,dest=", "dest is empty" },
		{ "type=registry,push=true", "push=true is for type=image" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outputs list = { .n = 0 };
		struct error err = { 0 };

		assert_true(output_parse(&list, cases[i].text, &err) < 0);
		if (!strstr(err.text, cases[i].said))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(list.n, 0);
		outputs_done(&list);
	}
}

static void names_are_a_list_of_their_own(void **state)
{
	struct outputs list = { .n = 0 };

	(void)state;
	assert_int_equal(output_parse(&list, "type=image,\"name=a:1,b:2\"", NULL), 0);
	assert_int_equal(list.items[0].names.n, 2);
	assert_string_equal(list.items[0].names.items[1], "b:2");
	assert_false(outputs_use_stdout(&list));
	assert_int_equal(output_parse(&list, "-", NULL), 0);
	assert_true(outputs_use_stdout(&list));
	assert_true(outputs_have(&list, OUTPUT_TAR));
	assert_false(outputs_have(&list, OUTPUT_OCI));
	outputs_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_meant),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(names_are_a_list_of_their_own),
	};

	return cmocka_run_group_tests_name("builder/output_spec", tests, NULL, NULL);
}

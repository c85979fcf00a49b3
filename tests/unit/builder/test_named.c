#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "../scratch.h"
#include "builder/named.h"

static int open_all(const struct strv *texts, struct named_list *list, struct error *err)
{
	static const struct strv none = { 0 };
	const struct named_request req = { .texts = texts, .secrets = &none };

	return named_open(&req, list, err);
}

static void a_name_is_an_image_or_files(void **state)
{
	struct named_list list = { .n = 0 };
	struct strv texts = { 0 };
	struct error err = { 0 };

	scratch_put(*state, "ctx/file", "x");
	strv_add(&texts, "Alpine=docker-image://alpine:3.19");
	strv_addf(&texts, "files=%s/ctx", (char *)*state);
	strv_add(&texts, "eq=docker-image://a=b");
	assert_int_equal(open_all(&texts, &list, &err), 0);
	assert_int_equal(list.n, 3);
	assert_int_equal(list.names.n, 3);
	/* As stages have their names: whatever the case. */
	assert_string_equal(named_find(&list, "ALPINE")->image, "alpine:3.19");
	assert_string_equal(named_find(&list, "eq")->image, "a=b");
	assert_null(named_find(&list, "files")->image);
	assert_int_equal(faccessat(named_find(&list, "files")->context.fd, "file", F_OK, 0), 0);
	assert_null(named_find(&list, "file"));
	assert_null(named_find(NULL, "files"));
	named_done(&list);
	named_done(&list);
	strv_done(&texts);
}

/* Those before it are closed all the same. */
static void what_cannot_be_opened_is_told_by_its_name(void **state)
{
	autofree char *gone = xasprintf("files=%s/gone", (char *)*state);
	const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "--build-context '': expected NAME=VALUE" },
		{ "name", "--build-context 'name': expected NAME=VALUE" },
		{ "name=", "--build-context 'name=': expected NAME=VALUE" },
		{ "=value", "--build-context '=value': expected NAME=VALUE" },
		{ "name=-", "--build-context name: standard input is the main context's" },
		{ gone, "--build-context files: open " },
	};

	scratch_put(*state, "ctx/file", "x");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct named_list list = { .n = 0 };
		struct strv texts = { 0 };
		struct error err = { 0 };

		strv_addf(&texts, "before=%s/ctx", (char *)*state);
		strv_add(&texts, cases[i].text);
		strv_add(&texts, "never=docker-image://reached");
		assert_true(open_all(&texts, &list, &err) < 0);
		assert_memory_equal(err.text, cases[i].said, strlen(cases[i].said));
		assert_null(named_find(&list, "never"));
		named_done(&list);
		strv_done(&texts);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_name_is_an_image_or_files),
		CASE(what_cannot_be_opened_is_told_by_its_name),
	};

	return cmocka_run_group_tests_name("builder/named", tests, NULL, NULL);
}

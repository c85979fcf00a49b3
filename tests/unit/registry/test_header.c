/* tests/unit/registry/test_header.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "registry/header.h"

static void challenges_of_several_kinds_in_one_header(void **state)
{
	struct challenges c = { .n = 0 };

	(void)state;
	challenges_parse("Negotiate, Basic realm=\"a, \\\"b\\\"\", bearer realm=https://t/x?y=1,"
			 " service=\"s\" , scope=\"repository:a:pull,push\"",
			 &c);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.items[0].kind, CHALLENGE_OTHER);
	assert_int_equal(c.items[1].kind, CHALLENGE_BASIC);
	assert_string_equal(c.items[1].realm, "a, \"b\"");
	assert_int_equal(c.items[2].kind, CHALLENGE_BEARER);
	assert_string_equal(c.items[2].realm, "https://t/x?y=1");
	assert_string_equal(c.items[2].service, "s");
	assert_string_equal(c.items[2].scope, "repository:a:pull,push");
	/* A second header adds to them. */
	challenges_parse("Basic realm=\"open", &c);
	assert_int_equal(c.n, 4);
	assert_null(c.items[3].realm);
	challenges_done(&c);
}

static void links(void **state)
{
	static const struct {
		const char *value, *next;
	} cases[] = {
		{ "</v2/a/tags/list?n=1&last=b>; rel=\"next\"", "/v2/a/tags/list?n=1&last=b" },
		{ "<http://x/y>; rel=next", "http://x/y" },
		{ "</p>; rel=\"prev\", </n>; rel=\"next\"", "/n" },
		{ "</p>; rel=\"prev\"", NULL },
		{ "<>; rel=next", NULL },
		{ "</open; rel=next", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *next = header_link_next(cases[i].value);

		if (cases[i].next)
			assert_string_equal(next, cases[i].next);
		else
			assert_null(next);
	}
}

static void when_to_come_back(void **state)
{
	static const struct {
		const char *value;
		int r;
		int64_t s;
	} cases[] = {
		{ "5", 0, 5 },
		{ " 0", 0, 0 },
		{ "99999999", 0, 86400 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0, 37 },
		{ "Sun, 06 Nov 1990 08:49:37 GMT", 0, 0 },
		{ "soon", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t s = 0;

		assert_int_equal(header_retry_after(cases[i].value, 784111740, &s), cases[i].r);
		assert_int_equal(s, cases[i].s);
	}
}

static void ranges(void **state)
{
	int64_t first, size, n;

	(void)state;
	assert_int_equal(header_content_range("bytes 5-9/100", &first, &size), 0);
	assert_int_equal(first, 5);
	assert_int_equal(size, 100);
	assert_int_equal(header_content_range("bytes 0-0/*", &first, &size), 0);
	assert_int_equal(size, -1);
	assert_int_equal(header_content_range("bytes 9-5/100", &first, &size), -EINVAL);
	assert_int_equal(header_content_range("bytes 5-100/100", &first, &size), -EINVAL);
	assert_int_equal(header_content_range("bytes */100", &first, &size), -EINVAL);
	assert_int_equal(header_content_range("bytes 1-99999999999999999999/*", &first, &size),
			 -EINVAL);
	assert_int_equal(header_upload_range("0-123", &n), 0);
	assert_int_equal(n, 124);
	assert_int_equal(header_upload_range("bytes=0-0", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(header_upload_range("5-9", &n), -EINVAL);
	assert_int_equal(header_upload_range("0-9x", &n), -EINVAL);
}

static void names_of_files(void **state)
{
	static const struct {
		const char *value, *name;
	} cases[] = {
		{ "attachment; filename=a.tar", "a.tar" },
		{ "attachment; filename=a.tar; size=3", "a.tar" },
		{ "attachment; size=3; FileName=\"a b\\\"c\"", "a b\"c" },
		{ "inline; filename=\"../../etc/passwd\"", "passwd" },
		{ "inline; filename=\"c:\\\\x\\\\y\"", "y" },
		{ "inline; filename=\"..\"", NULL },
		{ "inline; filename=\"a/\"", NULL },
		{ "inline; filename=\"a\tb\"", NULL },
		{ "inline; filename=\"open", NULL },
		{ "inline; filename", NULL },
		{ "attachment", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *name = header_disposition_name(cases[i].value);

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

static void dates(void **state)
{
	int64_t s = 0;

	(void)state;
	assert_int_equal(header_date("Sun, 06 Nov 1994 08:49:37 GMT", &s), 0);
	assert_int_equal(s, 784111777);
	assert_int_equal(header_date("yesterday", &s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_of_several_kinds_in_one_header),
		cmocka_unit_test(links),
		cmocka_unit_test(when_to_come_back),
		cmocka_unit_test(ranges),
		cmocka_unit_test(names_of_files),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests_name("registry/header", tests, NULL, NULL);
}

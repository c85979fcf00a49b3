/* tests/unit/registry/test_auth.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "registry/auth.h"

/* "aTpq" is i:j */
static void the_longest_key_wins(void **state)
{
	static const struct {
		const char *doc, *host, *path, *user, *from, *helper, *key;
	} cases[] = {
		{ "{\"auths\":{\"q.io\":{\"auth\":\"aTpq\"},\"q.io/a\":{\"auth\":\"YTpi\"}}}",
		  "q.io", "a/b", "a", "f, key q.io/a", NULL, NULL },
		{ "{\"auths\":{\"q.io\":{\"auth\":\"aTpq\"},\"q.io/a\":{\"auth\":\"YTpi\"}}}",
		  "q.io", "ab", "i", "f, key q.io", NULL, NULL },
		{ "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"aTpq\"}}}", "docker.io",
		  "library/x", "i", "f, key https://index.docker.io/v1/", NULL, NULL },
		{ "{\"auths\":{\"https://q.io/v2/\":{\"username\":\"u\",\"password\":\"p\"}}}",
		  "q.io", "", "u", "f, key https://q.io/v2/", NULL, NULL },
		{ "{\"auths\":{\"q.io\":{}},\"credsStore\":\"s\"}", "q.io", "a", NULL, NULL, "s",
		  "q.io" },
		{ "{\"credHelpers\":{\"q.io\":\"h\"},\"credsStore\":\"s\"}", "q.io", "a", NULL,
		  NULL, "h", "q.io" },
		{ "{\"credsStore\":\"s\"}", "docker.io", "library/x", NULL, NULL, "s",
		  "https://index.docker.io/v1/" },
		{ "{\"credHelpers\":{\"q.io\":\"h\"}}", "q.io:5000", "a", NULL, NULL, NULL, NULL },
		{ "{\"auths\":{\"q.io\":{\"auth\":\"aTpq\"}}}", "evil.q.io", "", NULL, NULL, NULL,
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(json_cleanup) json_t *doc = json_loads(cases[i].doc, 0, NULL);
		struct auth_answer a = { .helper = NULL };

		assert_int_equal(auth_lookup(doc, "f", cases[i].host, cases[i].path, &a, NULL), 0);
		if (cases[i].user) {
			assert_string_equal(a.credentials.user, cases[i].user);
			assert_string_equal(a.credentials.from, cases[i].from);
		} else {
			assert_false(credentials_given(&a.credentials));
		}
		if (cases[i].helper) {
			assert_string_equal(a.helper, cases[i].helper);
			assert_string_equal(a.helper_key, cases[i].key);
		} else {
			assert_null(a.helper);
		}
		auth_answer_done(&a);
	}
}

static void what_is_wrong_names_file_and_key(void **state)
{
	cleanup(json_cleanup) json_t *doc =
		json_loads("{\"auths\":{\"q.io\":{\"auth\":\"!!\"}}}", 0, NULL);
	struct auth_answer a = { .helper = NULL };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(auth_lookup(doc, "f", "q.io", "", &a, &err), -EBADMSG);
	assert_string_equal(err.text, "f, key q.io: 'auth' is not base64");
	auth_answer_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_key_wins),
		cmocka_unit_test(what_is_wrong_names_file_and_key),
	};

	return cmocka_run_group_tests_name("registry/auth", tests, NULL, NULL);
}

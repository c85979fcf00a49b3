#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "builder/scope.h"

static void the_environment_wins_and_proxies_are_known(void **state)
{
	struct scope_given given;
	struct strv args = { 0 }, env = { 0 }, plain = { 0 };
	struct scope scope = { .given = &given, .escape = '\\' };
	const struct word_scope words = scope_words(&scope);
	autofree char *got = NULL, *path = NULL, *none = NULL;

	(void)state;
	strv_add(&args, "HTTP_PROXY=p");
	strv_add(&args, "a=cli");
	assert_int_equal(setenv("STRAKE_UNIT_ARG", "ours", 1), 0);
	strv_add(&args, "STRAKE_UNIT_ARG");
	strv_add(&args, "STRAKE_NOT_THERE");
	assert_int_equal(scope_given_init(&given, &args, "linux/arm/v7", NULL), 0);
	strv_add(&scope.args, "a=arg");
	strv_add(&scope.args, "b=arg");
	strv_add(&scope.env, "a=env");
	assert_int_equal(word_expand(&words, "$a $b $HTTP_PROXY $TARGETOS|", &got, NULL), 0);
	assert_string_equal(got, "env arg p |");
	/* An image that says none has the usual one; before the first FROM there is none. */
	assert_int_equal(word_expand(&words, "/x:$PATH", &path, NULL), 0);
	assert_string_equal(path,
			    "/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	scope.is_global = true;
	assert_int_equal(word_expand(&words, "/x:$PATH", &none, NULL), 0);
	assert_string_equal(none, "/x:");
	scope.is_global = false;
	assert_string_equal(strv_env_get(&given.args, "STRAKE_UNIT_ARG"), "ours");
	assert_null(strv_env_get(&given.args, "STRAKE_NOT_THERE"));
	assert_string_equal(strv_env_get(&given.platforms, "TARGETVARIANT"), "v7");
	scope_run_env(&scope, true, &env);
	scope_run_env(&scope, false, &plain);
	assert_int_equal(env.n, 2);
	assert_string_equal(env.items[0], "HTTP_PROXY=p");
	assert_string_equal(env.items[1], "b=arg");
	assert_int_equal(plain.n, 1);
	strv_done(&env);
	strv_done(&plain);
	strv_done(&args);
	scope_done(&scope);
	scope_given_done(&given);
}

static void what_no_arg_takes_is_named(void **state)
{
	struct scope_given given;
	struct strv args = { 0 }, declared = { 0 }, unused = { 0 };
	struct error err = { 0 };

	(void)state;
	strv_add(&args, "a=1");
	strv_add(&args, "b=2");
	strv_add(&args, "no_proxy=3");
	strv_add(&declared, "a");
	assert_int_equal(scope_given_init(&given, &args, NULL, NULL), 0);
	scope_given_unused(&given, &declared, &unused);
	assert_int_equal(unused.n, 1);
	assert_string_equal(unused.items[0], "b");
	scope_given_done(&given);
	strv_add(&args, "=x");
	assert_int_equal(scope_given_init(&given, &args, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "--build-arg '=x': expected NAME=VALUE");
	strv_done(&args);
	strv_done(&declared);
	strv_done(&unused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_wins_and_proxies_are_known),
		cmocka_unit_test(what_no_arg_takes_is_named),
	};

	return cmocka_run_group_tests_name("builder/scope", tests, NULL, NULL);
}

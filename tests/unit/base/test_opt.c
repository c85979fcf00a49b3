/* tests/unit/base/test_opt.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/opt.h"

struct sample {
	bool it, rm;
	int count;
	const char *name;
	struct strv env;
	uint64_t memory;
};

static const struct opt sample_opts[] = {
	OPT(struct sample, it, "interactive", 'i', NULL, "keep stdin"),
	OPT(struct sample, rm, "rm", 0, NULL, "remove"),
	OPT(struct sample, count, "count", 'n', "N", "how many"),
	OPT(struct sample, name, "name", 0, "NAME", "its name"),
	OPT(struct sample, env, "env", 'e', "NAME=VALUE", "environment"),
	OPT(struct sample, memory, "memory", 'm', "SIZE", "limit"),
	{ 0 },
};

static int parse(struct sample *s, enum opt_flags flags, int argc, char **argv, struct error *err)
{
	const struct opt_set sets[] = { { sample_opts, s }, { NULL, NULL } };

	return opt_parse(sets, flags, argc, argv, err);
}

/* Of another program: the reason is the error, however it is written, and nobody is led to it. */
static void one_that_is_not_here_says_why(void **state)
{
	static const struct opt opts[] = { OPT_REFUSED("colour", "there is one"), { 0 } };
	struct sample s = { 0 };
	const struct opt_set sets[] = { { opts, &s }, { NULL, NULL } };
	static const char *const args[] = { "--colour", "--colour=red", "--colour=" };
	char *near[] = { (char *)"--color", NULL };
	struct error err = { 0 };
	struct strv none = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		char *argv[] = { (char *)args[i], NULL };

		assert_int_equal(opt_parse(sets, OPT_ANYWHERE, 1, argv, &err), -EINVAL);
		assert_string_equal(err.text, "--colour: there is one");
	}
	assert_int_equal(opt_parse(sets, OPT_ANYWHERE, 1, near, &err), -ENOENT);
	assert_string_equal(err.text, "unknown option --color");
	opt_format(opts, &s, &none);
	assert_int_equal(none.n, 0);
}

/* --pull alone is no question to the next argument. */
static void a_bare_string_has_its_own_value(void **state)
{
	static const struct opt opts[] = {
		OPT_BARE(struct sample, name, "name", "bare", "one two", "NAME", "its name"), { 0 }
	};
	static const struct {
		const char *arg, *value;
	} cases[] = { { "--name", "bare" }, { "--name=other", "other" }, { "--name=", "" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { (char *)cases[i].arg, (char *)"operand", NULL };
		struct sample s = { 0 };
		const struct opt_set sets[] = { { opts, &s }, { NULL, NULL } };

		assert_int_equal(opt_parse(sets, OPT_ANYWHERE, 2, argv, NULL), 1);
		assert_string_equal(s.name, cases[i].value);
		assert_string_equal(argv[0], "operand");
	}
}

/* "--pull never DIR": no directory is meant. */
static void a_word_behind_a_bare_string_is_refused(void **state)
{
	static const struct opt opts[] = {
		OPT_BARE(struct sample, name, "name", "bare", "one two", "NAME", "its name"), { 0 }
	};
	static const struct {
		const char *next;
		int r;
	} cases[] = { { "one", -EINVAL }, { "two", -EINVAL }, { "on", 1 },    { "one two", 1 },
		      { "./two", 1 },     { "", 1 },          { "onetwo", 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { (char *)"--name", (char *)cases[i].next, NULL };
		struct error err = { 0 };
		struct sample s = { 0 };
		const struct opt_set sets[] = { { opts, &s }, { NULL, NULL } };

		assert_int_equal(opt_parse(sets, OPT_ANYWHERE, 2, argv, &err), cases[i].r);
		if (cases[i].r < 0)
			assert_non_null(strstr(err.text, "--name="));
	}
}

static void refusals_name_the_option(void **state)
{
	static const struct {
		const char *arg, *text;
	} cases[] = {
		{ "--nope", "unknown option --nope" },
		{ "--count=x", "--count wants a number, not 'x'" },
		{ "--nmae=x", "unknown option --nmae (did you mean --name?)" },
		{ "-n", "-n wants a value" },
		{ "-i=maybe", "-i wants true or false, not 'maybe'" },
		{ "--rm=perhaps", "--rm wants true or false, not 'perhaps'" },
		{ "-m9x", "-m wants a size such as 64m or 2g, not '9x'" },
		{ "-iz", "unknown option -z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { (char *)cases[i].arg, NULL };
		struct error err = { 0 };
		struct sample s = { 0 };

		assert_int_equal(parse(&s, OPT_ANYWHERE, 1, argv, &err),
				 strncmp(cases[i].text, "unknown", 7) == 0 ? -ENOENT : -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void every_spelling_is_taken(void **state)
{
	char *argv[] = { "-in3", "--name=web", "first", "-e", "A=1", "--env",
			 "B=2",  "--rm=false", "-m64m", "--", "-x",  NULL };
	struct sample s = { .rm = true };

	(void)state;
	assert_int_equal(parse(&s, OPT_ANYWHERE, 11, argv, NULL), 2);
	assert_string_equal(argv[0], "first");
	assert_string_equal(argv[1], "-x");
	assert_null(argv[2]);
	assert_true(s.it);
	assert_false(s.rm);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.name, "web");
	assert_int_equal(s.env.n, 2);
	assert_int_equal(s.memory, 64 << 20);
	opt_done(sample_opts, &s);
}

static void a_letter_takes_an_equals_sign(void **state)
{
	char *argv[] = { "-i=false", "-n=7", "-e=A=1", NULL };
	struct sample s = { .it = true };

	(void)state;
	assert_int_equal(parse(&s, OPT_ANYWHERE, 3, argv, NULL), 0);
	assert_false(s.it);
	assert_int_equal(s.count, 7);
	assert_string_equal(s.env.items[0], "A=1");
	opt_done(sample_opts, &s);
}

static void a_command_line_behind_the_first_operand_is_left_alone(void **state)
{
	char *argv[] = { "-i", "image", "ls", "-n", "--rm", NULL };
	struct sample s = { 0 };

	(void)state;
	assert_int_equal(parse(&s, OPT_FIRST_OPERAND, 5, argv, NULL), 4);
	assert_string_equal(argv[1], "ls");
	assert_string_equal(argv[3], "--rm");
	assert_false(s.rm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_not_here_says_why),
		cmocka_unit_test(a_bare_string_has_its_own_value),
		cmocka_unit_test(a_word_behind_a_bare_string_is_refused),
		cmocka_unit_test(refusals_name_the_option),
		cmocka_unit_test(every_spelling_is_taken),
		cmocka_unit_test(a_letter_takes_an_equals_sign),
		cmocka_unit_test(a_command_line_behind_the_first_operand_is_left_alone),
	};

	return cmocka_run_group_tests_name("base/opt", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/containerfile.h"
#include "builder/instruction.h"

/* "WORD --flag ... |word|word" with "exec" for lists; or the error. */
static char *read_line(const char *text)
{
	struct containerfile f = { .escape = 0 };
	struct instructions all = { NULL, 0 };
	struct fault fault;
	struct error err = { 0 };
	char *got;

	if (containerfile_parse(text, strlen(text), "F", &f, &fault, &err) < 0 ||
	    instructions_parse(&f, "F", &all, &fault, &err) < 0) {
		containerfile_done(&f);
		return xasprintf("%u.%u %s", fault.line, fault.column, err.text);
	}
	got = xasprintf("%s%s", instruction_word(all.items[0].kind),
			all.items[0].is_exec ? " exec" : "");
	for (size_t i = 0; i < all.items[0].flags.n + all.items[0].words.n; i++) {
		bool is_flag = i < all.items[0].flags.n;
		char *longer =
			is_flag ? xasprintf("%s --%s", got, all.items[0].flags.items[i])
				: xasprintf("%s|%s", got,
					    all.items[0].words.items[i - all.items[0].flags.n]);

		free(got);
		got = longer;
	}
	instructions_done(&all);
	containerfile_done(&f);
	return got;
}

static void lines_become_data(void **state)
{
	static const char *const cases[][2] = {
		{ "FROM a", "FROM|a" },
		{ "from a as b", "FROM|a|as|b" },
		{ "FROM --platform=linux/arm64 a", "FROM --platform=linux/arm64|a" },
		{ "RUN echo \"a  b\" 'c'", "RUN|echo \"a  b\" 'c'" },
		{ "RUN [\"a\", \"b c\"]", "RUN exec|a|b c" },
		{ "RUN ['a']", "RUN|['a']" },
		{ "RUN [\"a\", 1]", "RUN|[\"a\", 1]" },
		{ "RUN --mount=type=cache,target=/c --network=none x",
		  "RUN --mount=type=cache,target=/c --network=none|x" },
		{ "RUN --mount=\"a b\" x", "RUN --mount=a b|x" },
		{ "RUN -- --mount=x", "RUN|--mount=x" },
		{ "CMD", "CMD" },
		{ "CMD []", "CMD exec" },
		{ "CMD [\"a\"]", "CMD exec|a" },
		{ "COPY a  b\tc/", "COPY|a|b|c/" },
		{ "COPY [\"a b\", \"c\"]", "COPY exec|a b|c" },
		{ "COPY --from=x --chown=1:2 a b", "COPY --from=x --chown=1:2|a|b" },
		{ "COPY --exclude=a --exclude=b x y", "COPY --exclude=a --exclude=b|x|y" },
		{ "ADD --unpack=false a b", "ADD --unpack=false|a|b" },
		{ "ENV a=b c=\"d e\" f=g\\ h", "ENV|a=b|c=\"d e\"|f=g\\ h" },
		{ "ENV a  b  c=d", "ENV|a=b  c=d" },
		{ "LABEL \"a b\"=c", "LABEL|\"a b\"=c" },
		{ "ARG a b=c", "ARG|a|b=c" },
		{ "EXPOSE 80 $P/udp", "EXPOSE|80|$P/udp" },
		{ "VOLUME /a /b", "VOLUME|/a|/b" },
		{ "USER a b", "USER|a b" },
		{ "SHELL [\"/bin/bash\", \"-c\"]", "SHELL exec|/bin/bash|-c" },
		{ "HEALTHCHECK NONE", "HEALTHCHECK" },
		{ "HEALTHCHECK --interval=5s CMD [\"a\"]", "HEALTHCHECK exec --interval=5s|a" },
		{ "healthcheck cmd a b", "HEALTHCHECK|a b" },
		{ "ONBUILD RUN x", "ONBUILD|RUN x" },
		{ "MAINTAINER me", "MAINTAINER|me" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = read_line(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
	}
}

static void mistakes_have_a_place_and_a_hint(void **state)
{
	static const char *const cases[][2] = {
		{ "COPPY a b", "1.1 F:1: unknown instruction COPPY; did you mean COPY?" },
		{ "xyzzy", "1.1 F:1: unknown instruction XYZZY" },
		{ "COPY a", "1.6 F:1: COPY wants a source and a destination" },
		{ "RUN", "1.4 F:1: RUN wants something behind it" },
		{ "COPY --frm=x a b", "1.6 F:1: COPY has no flag --frm; did you mean --from?" },
		{ "RUN \\\n  --nope x", "2.3 F:2: RUN has no flag --nope" },
		{ "COPY --from=a --from=b c d", "1.15 F:1: the same flag is given twice" },
		{ "COPY --from a b", "1.6 F:1: this flag wants a value: --NAME=VALUE" },
		{ "ADD --unpack=1 a b", "1.5 F:1: this flag is true or false" },
		{ "FROM a b", "1.6 F:1: FROM wants IMAGE, or IMAGE AS NAME" },
		{ "ENV a", "1.5 F:1: a name wants a value: NAME=VALUE" },
		{ "ENV a=b c",
		  "1.5 F:1: every word here is NAME=VALUE; a value with blanks wants quotes" },
		{ "ARG =a", "1.5 F:1: an ARG wants a name before its =" },
		{ "SHELL /bin/sh", "1.7 F:1: SHELL wants a list: [\"/bin/sh\", \"-c\"]" },
		{ "HEALTHCHECK x", "1.13 F:1: HEALTHCHECK wants CMD and a command, or NONE" },
		{ "HEALTHCHECK NONE x", "1.13 F:1: HEALTHCHECK NONE takes nothing else" },
		{ "ONBUILD from x", "1.9 F:1: ONBUILD cannot hold ONBUILD, FROM or MAINTAINER" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = read_line(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_data),
		cmocka_unit_test(mistakes_have_a_place_and_a_hint),
	};

	return cmocka_run_group_tests_name("builder/instruction", tests, NULL, NULL);
}

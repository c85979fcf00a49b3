#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "builder/containerfile.h"
#include "builder/instruction.h"
#include "builder/state.h"

/* The config after these lines, without a file system; or the error. */
static char *apply(const char *text, const char *arg)
{
	struct containerfile f = { .escape = 0 };
	struct instructions all = { NULL, 0 };
	struct scope_given given;
	struct strv args = { 0 };
	struct state s;
	struct fault fault;
	struct error err = { 0 };
	char *got;
	int r = 0;

	if (arg)
		strv_add(&args, arg);
	assert_int_equal(containerfile_parse(text, strlen(text), "F", &f, &fault, NULL), 0);
	assert_int_equal(instructions_parse(&f, "F", &all, &fault, NULL), 0);
	assert_int_equal(scope_given_init(&given, &args, NULL, NULL), 0);
	state_init_scratch(&s, &given, '\\', NULL);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		autofree char *said = NULL;

		r = state_apply(&s, &all.items[i], &said, &err);
	}
	got = r < 0 ? xstrdup(err.text)
		    : json_dumps(json_object_get(s.doc, "config"), JSON_COMPACT | JSON_SORT_KEYS);
	state_done(&s);
	scope_given_done(&given);
	strv_done(&args);
	instructions_done(&all);
	containerfile_done(&f);
	return got;
}

static void instructions_change_the_config(void **state)
{
	static const char *const cases[][2] = {
		{ "ENV a=1 b=$a\nENV c=$a", "{\"Env\":[\"a=1\",\"b=\",\"c=1\"]}" },
		{ "ENV a=1\nENV a=2", "{\"Env\":[\"a=2\"]}" },
		{ "ENV a b  \"c\"", "{\"Env\":[\"a=b  c\"]}" },
		{ "ARG v=x\nENV a=$v\nENV v=e\nENV b=$v", "{\"Env\":[\"a=x\",\"v=e\",\"b=e\"]}" },
		{ "ARG given=x\nLABEL l=$given", "{\"Labels\":{\"l\":\"cli\"}}" },
		{ "ARG given\nLABEL l=$given", "{\"Labels\":{\"l\":\"cli\"}}" },
		{ "LABEL l=$given", "{\"Labels\":{\"l\":\"\"}}" },
		{ "ARG TARGETOS\nLABEL l=$TARGETOS", "{\"Labels\":{\"l\":\"linux\"}}" },
		{ "LABEL a=\"b c\" 'd e'=f", "{\"Labels\":{\"a\":\"b c\",\"d e\":\"f\"}}" },
		{ "CMD echo $a", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $a\"]}" },
		{ "CMD [\"a\"]\nENTRYPOINT [\"b\"]", "{\"Cmd\":[\"a\"],\"Entrypoint\":[\"b\"]}" },
		{ "SHELL [\"x\",\"y\"]\nENTRYPOINT z",
		  "{\"Entrypoint\":[\"x\",\"y\",\"z\"],\"Shell\":[\"x\",\"y\"]}" },
		{ "EXPOSE 80 53/UDP 90-91",
		  "{\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{},\"90/tcp\":{},\"91/tcp\":{}}}" },
		{ "VOLUME [\"/a b\"]\nVOLUME /c", "{\"Volumes\":{\"/a b\":{},\"/c\":{}}}" },
		{ "WORKDIR /a\nWORKDIR b/../c/\nWORKDIR ../d", "{\"WorkingDir\":\"/a/d\"}" },
		{ "WORKDIR x", "{\"WorkingDir\":\"/x\"}" },
		{ "USER 1:2", "{\"User\":\"1:2\"}" },
		{ "STOPSIGNAL SIGUSR1", "{\"StopSignal\":\"SIGUSR1\"}" },
		{ "HEALTHCHECK --interval=1s --retries=3 CMD x",
		  "{\"Healthcheck\":{\"Interval\":1000000000,\"Retries\":3,\"Test\":[\"CMD-SHELL\",\"x\"]}}" },
		{ "HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}" },
		{ "ONBUILD RUN a $b", "{\"OnBuild\":[\"RUN a $b\"]}" },
		/* refusals */
		{ "EXPOSE 0", "'0' is no port: expected NUMBER[-NUMBER][/tcp|udp|sctp]" },
		{ "EXPOSE 9-8", "'9-8' is no port: expected NUMBER[-NUMBER][/tcp|udp|sctp]" },
		{ "EXPOSE 80/x", "'80/x' is no port: expected NUMBER[-NUMBER][/tcp|udp|sctp]" },
		{ "STOPSIGNAL NOPE", "unknown signal 'NOPE'" },
		{ "ENV a=\"${b:?no b}\"", "b: no b" },
		{ "ENV a=\xff", "'a=?' is not UTF-8" },
		{ "HEALTHCHECK --interval=1 CMD x",
		  "--interval wants a duration of 1ms or more, like 30s or 1m30s, not '1'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = apply(cases[i][0], "given=cli");

		assert_string_equal(got, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(instructions_change_the_config) };

	return cmocka_run_group_tests_name("builder/meta", tests, NULL, NULL);
}

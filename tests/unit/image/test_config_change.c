/* tests/unit/image/test_config_change.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "image/config_change.h"

static void instructions_change_the_config(void **state)
{
	static const struct {
		const char *instruction, *config; /* NULL: refused */
	} cases[] = {
		{ "CMD [\"a\",\"b c\"]",
		  "{\"Cmd\":[\"a\",\"b c\"],\"Env\":[\"P=1\"],\"WorkingDir\":\"/w\"}" },
		{ "cmd echo $HOME",
		  "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $HOME\"],\"Env\":[\"P=1\"],\"WorkingDir\":\"/w\"}" },
		{ "CMD [not json",
		  "{\"Cmd\":[\"/bin/sh\",\"-c\",\"[not json\"],\"Env\":[\"P=1\"],\"WorkingDir\":\"/w\"}" },
		{ "ENTRYPOINT [\"e\"]",
		  "{\"Entrypoint\":[\"e\"],\"Env\":[\"P=1\"],\"WorkingDir\":\"/w\"}" },
		{ "ENV A=b C=\"d e\" P=2",
		  "{\"Cmd\":[\"x\"],\"Env\":[\"P=2\",\"A=b\",\"C=d e\"],\"WorkingDir\":\"/w\"}" },
		{ "ENV A b  c",
		  "{\"Cmd\":[\"x\"],\"Env\":[\"P=1\",\"A=b  c\"],\"WorkingDir\":\"/w\"}" },
		{ "LABEL a.b='c d'",
		  "{\"Cmd\":[\"x\"],\"Env\":[\"P=1\"],\"Labels\":{\"a.b\":\"c d\"},\"WorkingDir\":\"/w\"}" },
		{ "EXPOSE 80 53/udp",
		  "{\"Cmd\":[\"x\"],\"Env\":[\"P=1\"],\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}},\"WorkingDir\":\"/w\"}" },
		{ "VOLUME [\"/a b\"]",
		  "{\"Cmd\":[\"x\"],\"Env\":[\"P=1\"],\"Volumes\":{\"/a b\":{}},\"WorkingDir\":\"/w\"}" },
		{ "WORKDIR sub", "{\"Cmd\":[\"x\"],\"Env\":[\"P=1\"],\"WorkingDir\":\"/w/sub\"}" },
		{ "USER 1:2",
		  "{\"Cmd\":[\"x\"],\"Env\":[\"P=1\"],\"User\":\"1:2\",\"WorkingDir\":\"/w\"}" },
		{ "FROM x", NULL },
		{ "CMD", NULL },
		{ "ENV A", NULL },
		{ "ENV A=\"b", NULL },
		{ "ENV A=b =c", NULL },
		{ "LABEL \xff=b", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *config = json_pack("{s:[s], s:[s], s:s}", "Cmd", "x", "Env", "P=1",
					   "WorkingDir", "/w");
		struct error err = { 0 };
		int r = config_change(config, cases[i].instruction, &err);
		autofree char *text = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS);

		if (cases[i].config) {
			assert_int_equal(r, 0);
			assert_string_equal(text, cases[i].config);
		} else if (r != -EINVAL || !err.text[0]) {
			fail_msg("'%s': %d", cases[i].instruction, r);
		}
		json_decref(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(instructions_change_the_config) };

	return cmocka_run_group_tests_name("image/config_change", tests, NULL, NULL);
}

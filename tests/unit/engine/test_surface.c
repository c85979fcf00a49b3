/* tests/unit/engine/test_surface.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "engine/surface.h"

static void what_listens_is_read(void **state)
{
	static const struct {
		const char *protocol, *text, *said;
	} cases[] = {
		{ "tcp", "   0: 0100007F:1F90 00000000:0000 0A 00000000:0000 00:0 0 0 0 1\n",
		  "tcp 127.0.0.1:8080" },
		{ "tcp", "   0: 0100007F:1F90 0100007F:0016 01 00000000:0000 00:0 0 0 0 1\n",
		  NULL },
		{ "udp", "  12: 00000000:0035 00000000:0000 07 00000000:0000 00:0 0 0 0 1\n",
		  "udp 0.0.0.0:53" },
		{ "tcp6",
		  "   0: 00000000000000000000000001000000:0050 "
		  "00000000000000000000000000000000:0000 0A 0:0\n",
		  "tcp [::1]:80" },
		{ "tcp6", "   0: 0100007F:1F90 00000000:0000 0A\n", NULL },
		{ "tcp", "  sl  local_address rem_address   st tx_queue\n", NULL },
		{ "tcp", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv found = { 0 };

		sockets_parse(cases[i].text, cases[i].protocol, &found);
		assert_int_equal(found.n, cases[i].said ? 1 : 0);
		if (cases[i].said)
			assert_string_equal(found.items[0], cases[i].said);
		strv_done(&found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_listens_is_read),
	};

	return cmocka_run_group_tests_name("engine/surface", tests, NULL, NULL);
}

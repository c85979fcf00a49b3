/* tests/unit/why/test_legacy.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules.h"
#include "why/legacy.h"

#define EMPTY "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
#define RULES                                                                                      \
	"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"                \
	"-A INPUT -p tcp -m tcp --dport 80 -j REJECT\n"                                            \
	"-A INPUT -p tcp -m tcp --dport 81 -m string --algo bm --string x -j DROP\n"               \
	"-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n"

static void read_legacy(struct ruleset *rs, const char *text)
{
	const struct xt_said said = {
		.text = text,
		.len = strlen(text),
		.what = "rules",
		.is_known = true,
		.family = FAMILY_IP,
		.backend = BACKEND_LEGACY,
	};

	ruleset_init(rs);
	assert_int_equal(xt_read(rs, &said, NULL), 0);
	assert_int_equal(ruleset_finish(rs, NULL), 0);
}

static struct legacy_packet packet(uint16_t dport, const char *out)
{
	struct legacy_packet p = {
		.ends = { .protocol = IPPROTO_TCP, .sport = 5000, .dport = dport },
		.in = "eth0",
		.out = out
	};

	assert_int_equal(ip_parse("192.0.2.2", &p.ends.from), 0);
	assert_int_equal(ip_parse("192.0.2.1", &p.ends.to), 0);
	return p;
}

static void what_takes_a_packet_is_found(void **state)
{
	struct legacy_packet web = packet(80, NULL), through = packet(80, "br0");
	const struct chain *chain = NULL;
	const struct rule *rule = NULL;
	struct ruleset rs;

	(void)state;
	read_legacy(&rs, RULES);
	assert_true(legacy_takes(&rs, &web, &rule, &chain));
	assert_int_equal(rule->number, 1);
	assert_string_equal(chain->name, "INPUT");
	assert_true(legacy_takes(&rs, &through, &rule, &chain));
	assert_null(rule);
	assert_string_equal(chain->name, "FORWARD");
	through.is_answer = true;
	assert_false(legacy_takes(&rs, &through, &rule, &chain));
	ruleset_done(&rs);
}

static void doubt_takes_nothing(void **state)
{
	struct legacy_packet doubtful = packet(81, NULL), other = packet(82, NULL);
	const struct chain *chain = NULL;
	const struct rule *rule = NULL;
	struct ruleset rs;

	(void)state;
	read_legacy(&rs, RULES);
	assert_false(legacy_takes(&rs, &doubtful, &rule, &chain));
	assert_false(legacy_takes(&rs, &other, &rule, &chain));
	assert_true(legacy_has_say(&rs, false));
	assert_false(legacy_has_say(&rs, true));
	ruleset_done(&rs);
	read_legacy(&rs, EMPTY);
	assert_false(legacy_has_say(&rs, false));
	ruleset_done(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_a_packet_is_found),
		cmocka_unit_test(doubt_takes_nothing),
	};

	return cmocka_run_group_tests_name("legacy", tests, NULL, NULL);
}

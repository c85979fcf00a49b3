/* tests/unit/lab/test_rules.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/rules.h"

static const char listing[] = "table inet filter {\n"
			      "\tchain in {\n"
			      "\t\ttype filter hook input priority filter; policy accept;\n"
			      "\t\tip saddr 10.0.0.1 reject with icmp port-unreachable\n"
			      "\t}\n"
			      "\n"
			      "\tchain fwd {\n"
			      "\t\ttype filter hook forward priority filter; policy drop;\n"
			      "\t\taccept\n"
			      "\t}\n"
			      "}\n"
			      "table ip nat {\n"
			      "\tchain out {\n"
			      "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
			      "\t\toifname \"eth0\" masquerade\n"
			      "\t}\n"
			      "}\n";

static void the_rule_that_drops_is_found_at_its_hook(void **state)
{
	static const struct {
		const char *hook, *found;
	} cases[] = {
		{ "input",
		  "table inet filter, chain in: ip saddr 10.0.0.1 reject with icmp port-unreachable" },
		{ "forward", "table inet filter, chain fwd: its policy is drop" },
		{ "output", NULL },
		{ "postrouting", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *found = rules_find_drop(listing, cases[i].hook);

		if (cases[i].found)
			assert_string_equal(found, cases[i].found);
		else
			assert_null(found);
	}
	assert_null(rules_find_drop("", "input"));
}

static void masquerading_is_seen(void **state)
{
	(void)state;
	assert_true(rules_masquerade(listing));
	assert_false(rules_masquerade("table ip nat {\n}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_that_drops_is_found_at_its_hook),
		cmocka_unit_test(masquerading_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/network/test_dns_records.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "network/dns_records.h"

static int apply(struct dns_records *records, const char *text)
{
	struct error err = { 0 };
	int r = dns_records_apply(records, text, strlen(text), &err);

	assert_int_equal(r < 0, err.text[0] != '\0');
	return r;
}

static void join(void *data, const struct dns_endpoint *e)
{
	buf_addf(data, "%s@%s ", e->container, e->network);
}

static void assert_sees(const struct dns_records *records, const char *address, const char *name,
			const char *want)
{
	struct dns_view view = dns_view_of(records, "red", address);
	struct buf found = BUF_INIT(1000);

	(void)dns_view_name(&view, name, NULL, join, &found);
	assert_string_equal(buf_text(&found), want);
	buf_done(&found);
}

static void a_client_sees_the_networks_that_it_is_in(void **state)
{
	struct dns_records *records = dns_records_new();

	(void)state;
	assert_int_equal(apply(records, "add red c1 10.0.0.2,fd00::2 web,Alias -\n"
					"add red c2 10.0.0.3 db,alias 192.0.2.53\n"
					"add blue c2 10.1.0.3 db -\n"
					"add blue c3 10.1.0.4 far -\nend\n"),
			 0);
	assert_int_equal(dns_records_count(records, "red"), 2);
	assert_sees(records, "10.0.0.2", "web", "c1@red ");
	assert_sees(records, "fd00::2", "far", "");
	assert_sees(records, "10.0.0.3", "far", "c3@blue ");
	assert_sees(records, "10.0.0.1", "far", ""); /* the host */
	assert_sees(records, "10.0.0.1", "web", "c1@red ");
	assert_sees(records, "10.1.0.4", "far", ""); /* a stranger here, whatever he is there */
	assert_string_equal(dns_view_of(records, "red", "10.0.0.3").client->servers, "192.0.2.53");
	dns_records_free(records);
}

static void changes_take_away_and_replace(void **state)
{
	struct dns_records *records = dns_records_new();

	(void)state;
	assert_int_equal(apply(records, "add red c1 10.0.0.2 web -\nadd blue c1 10.1.0.2 web -\n"
					"add red c2 10.0.0.3 db -\nend\n"),
			 0);
	assert_int_equal(apply(records, "del c1\nend\n"), 0);
	assert_sees(records, "10.0.0.3", "web", "");
	assert_int_equal(dns_records_count(records, "blue"), 0);
	assert_int_equal(apply(records, "add red c2 10.0.0.9 new -\ndel c2\nend\n"), 0);
	assert_sees(records, "10.0.0.9", "new", "c2@red ");
	assert_int_equal(dns_records_count(records, "red"), 1);
	assert_int_equal(apply(records, "replace\nadd red c7 10.0.0.7 seven -\nend\n"), 0);
	assert_sees(records, "10.0.0.7", "new", "");
	assert_sees(records, "10.0.0.7", "seven", "c7@red ");
	dns_records_free(records);
}

static void half_a_change_is_none(void **state)
{
	static const char *const cases[] = {
		"",
		"replace\n",
		"replace",
		"end\nreplace\n",
		"replace\nadd red c1 10.0.0.2 web\nend\n",
		"replace\nadd red c1 10.0.0.2 web - more\nend\n",
		"replace\nadd red c1 10.0.0 web -\nend\n",
		"replace\nadd red c1 10.0.0.2 web,,b -\nend\n",
		"replace\nadd red c1 10.0.0.2 we\tb -\nend\n",
		"replace\nadd red c1 10.0.0.2 -web -\nend\n",
		"replace\nadd  c1 10.0.0.2 web -\nend\n",
		"replace\ndel \nend\n",
		"replace\nnonsense\nend\n",
	};
	struct dns_records *records = dns_records_new();

	(void)state;
	assert_int_equal(apply(records, "add red c1 10.0.0.2 web -\nend\n"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(apply(records, cases[i]), -EBADMSG);
	assert_sees(records, "10.0.0.2", "web", "c1@red ");
	dns_records_free(records);
}

/* The table grows, and forgets what it is told to forget. */
static void thousands_come_and_go(void **state)
{
	struct dns_records *records = dns_records_new();
	struct buf text = BUF_INIT(1U << 20);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 4000; i++)
		buf_addf(&text, "add red id%u 10.0.%u.%u c%u,all -\n", i, i / 250, i % 250, i);
	buf_add_str(&text, "end\n");
	assert_int_equal(apply(records, buf_text(&text)), 0);
	assert_int_equal(dns_records_count(records, "red"), 4000);
	assert_sees(records, "10.0.0.1", "c3999", "id3999@red ");
	for (unsigned i = 0; i < 4000; i += 2) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		buf_reset(&text);
		buf_addf(&text, "del id%u\nend\n", i);
		assert_int_equal(apply(records, buf_text(&text)), 0);
		assert_sees(records, "10.0.0.1", name, "");
	}
	assert_int_equal(dns_records_count(records, "red"), 2000);
	buf_done(&text);
	dns_records_free(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_sees_the_networks_that_it_is_in),
		cmocka_unit_test(changes_take_away_and_replace),
		cmocka_unit_test(half_a_change_is_none),
		cmocka_unit_test(thousands_come_and_go),
	};

	return cmocka_run_group_tests_name("network/dns_records", tests, NULL, NULL);
}

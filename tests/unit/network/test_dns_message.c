/* tests/unit/network/test_dns_message.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "network/dns_message.h"

#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define QUESTION                      HEADER("\1\0", "\1", "\0", "\0", "\0")
#define QUESTION_EDNS                 HEADER("\1\0", "\1", "\0", "\0", "\1")
#define WEB_A                         "\3wEb\0\0\1\0\1"
#define OPT(size)                     "\0\0\x29" size "\0\0\0\0\0\0"

#define CASE(bytes, want)                                                                          \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, want                                                     \
	}

static void questions_are_taken_or_told_why_not(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int want;
	} cases[] = {
		CASE(QUESTION WEB_A, 0),
		CASE(QUESTION_EDNS WEB_A OPT("\4\xd0"), 0),
		CASE("\x12\x34\1", -EBADMSG),
		CASE(HEADER("\x81\0", "\1", "\0", "\0", "\0") WEB_A, -EBADMSG),     /* an answer */
		CASE(HEADER("\x29\0", "\1", "\0", "\0", "\0") WEB_A, ns_r_notimpl), /* UPDATE */
		CASE(HEADER("\1\0", "\0", "\0", "\0", "\0"), ns_r_formerr),
		CASE(HEADER("\1\0", "\2", "\0", "\0", "\0") WEB_A WEB_A, ns_r_formerr),
		CASE(QUESTION "\3web", ns_r_formerr),
		CASE(QUESTION "\3web\0\0\1", ns_r_formerr),
		CASE(QUESTION "\xc0\x0c\0\1\0\1", ns_r_formerr), /* points to itself */
		CASE(QUESTION "\x41x\0\0\1\0\1", ns_r_formerr),
		CASE(QUESTION WEB_A "rest", ns_r_formerr),
		CASE(QUESTION_EDNS WEB_A, ns_r_formerr),
		CASE(HEADER("\1\0", "\1", "\0", "\0", "\2") WEB_A OPT("\4\xd0") OPT("\4\xd0"),
		     ns_r_formerr),
		CASE(QUESTION_EDNS WEB_A "\0\0\x29\4\xd0\0\1\0\0\0\0", DNS_BADVERS),
	};
	struct dns_query q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(dns_query_parse(cases[i].bytes, cases[i].len, &q), cases[i].want);
	assert_int_equal(dns_query_parse(QUESTION WEB_A, sizeof(QUESTION WEB_A) - 1, &q), 0);
	assert_string_equal(q.name, "web");
	assert_int_equal(q.type, ns_t_a);
	assert_int_equal(q.udp_max, DNS_UDP_PLAIN);
	assert_false(q.edns);
}

static void answers_keep_the_spelling_and_end_with_edns(void **state)
{
	static const char want[] =
		"\x12\x34\x85\x80\0\1\0\1\0\0\0\1" WEB_A "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x0a\0\0\2"
		"\0\0\x29\4\xd0\0\0\0\0\0\0";
	uint8_t bytes[DNS_UDP_PLAIN];
	struct dns_answer a;
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_parse(QUESTION_EDNS WEB_A OPT("\x10\0"),
					 sizeof(QUESTION_EDNS WEB_A OPT("\x10\0")) - 1, &q),
			 0);
	assert_int_equal(q.udp_max, 4096);
	dns_answer_init(&a, &q, bytes, sizeof(bytes));
	dns_answer_address(&a, ns_t_a, "\x0a\0\0\2", 4);
	assert_int_equal(dns_answer_finish(&a, DNS_NODATA), sizeof(want) - 1);
	assert_memory_equal(bytes, want, sizeof(want) - 1);
}

static void an_answer_that_does_not_fit_says_so(void **state)
{
	uint8_t bytes[DNS_UDP_PLAIN];
	struct dns_answer a;
	struct dns_query q;
	size_t len;

	(void)state;
	assert_int_equal(dns_query_parse(QUESTION WEB_A, sizeof(QUESTION WEB_A) - 1, &q), 0);
	dns_answer_init(&a, &q, bytes, sizeof(bytes));
	for (unsigned i = 0; i < 100; i++)
		dns_answer_address(&a, ns_t_a, "\x0a\0\0\2", 4);
	len = dns_answer_finish(&a, DNS_NODATA);
	assert_true(len <= sizeof(bytes));
	assert_true(bytes[2] & 2);
	assert_int_equal(bytes[7], (sizeof(bytes) - 12 - 9) / 16);
}

static void responses_must_fit_the_question(void **state)
{
	static const char good[] = HEADER("\x81\x83", "\1", "\0", "\0", "\0") WEB_A;
	char other[sizeof(good)];
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_parse(QUESTION WEB_A, sizeof(QUESTION WEB_A) - 1, &q), 0);
	assert_true(dns_response_fits(good, sizeof(good) - 1, q.id, &q));
	assert_int_equal(dns_response_rcode(good), ns_r_nxdomain);
	assert_false(dns_response_fits(good, sizeof(good) - 2, q.id, &q));
	assert_false(dns_response_fits(good, sizeof(good) - 1, (uint16_t)~q.id, &q));
	memcpy(other, good, sizeof(good));
	other[14] = 'e'; /* web: the spelling is part of what a forger must guess */
	assert_false(dns_response_fits(other, sizeof(good) - 1, q.id, &q));
}

static void addresses_backwards(void **state)
{
	static const struct {
		const char *name, *address; /* NULL: none */
	} cases[] = {
		{ "2.0.120.10.in-addr.arpa", "10.120.0.2" },
		{ "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
		  "fd00::2" },
		{ "0.120.10.in-addr.arpa", NULL },
		{ "1.2.0.120.10.in-addr.arpa", NULL },
		{ "300.0.120.10.in-addr.arpa", NULL },
		{ "..120.10.in-addr.arpa", NULL },
		{ "2.0.0.ip6.arpa", NULL },
		{ "x.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
		  NULL },
		{ "in-addr.arpa", NULL },
		{ "web", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char address[46] = "";
		bool ok = dns_reverse_parse(cases[i].name, address, sizeof(address));

		assert_int_equal(ok, cases[i].address != NULL);
		if (ok)
			assert_string_equal(address, cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_taken_or_told_why_not),
		cmocka_unit_test(answers_keep_the_spelling_and_end_with_edns),
		cmocka_unit_test(an_answer_that_does_not_fit_says_so),
		cmocka_unit_test(responses_must_fit_the_question),
		cmocka_unit_test(addresses_backwards),
	};

	return cmocka_run_group_tests_name("network/dns_message", tests, NULL, NULL);
}

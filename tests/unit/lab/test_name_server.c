/* What a lab's name server answers out of a hosts file, read as the one who asked reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "lab/lookup.h"
#include "lab/name_server.h"

#define ID 0x1234

static const char hosts[] = "# a comment\n"
			    "127.0.0.1 localhost\n"
			    "10.9.0.1\th1 www.Example.net # more\n"
			    "10.9.0.2 h1\n"
			    "fd00::1 h1\n"
			    "rubbish h9\n"
			    "10.9.0.3 h3";

static size_t question(uint8_t *q, const char *name, unsigned type)
{
	size_t at = 12;

	memset(q, 0, 300);
	q[0] = ID >> 8;
	q[1] = ID & 255;
	q[2] = 1;
	q[5] = 1;
	while (*name) {
		size_t len = strcspn(name, ".");

		q[at] = (uint8_t)len;
		memcpy(q + at + 1, name, len);
		at += len + 1;
		name += len + (name[len] == '.');
	}
	at++;
	q[at + 1] = (uint8_t)type;
	q[at + 3] = ns_c_in;
	return at + 4;
}

static struct lookup ask(const char *name, unsigned type)
{
	uint8_t q[300], answer[512];
	struct lookup l = { .name = name };
	size_t len = name_server_answer(hosts, q, question(q, name, type), answer, sizeof(answer));

	assert_true(len > 0);
	assert_int_equal(lookup_parse(answer, len, ID, &l), 0);
	return l;
}

static void names_have_their_addresses(void **state)
{
	static const struct {
		const char *name;
		unsigned type;
		int rcode;
		size_t n;
		const char *first;
	} cases[] = {
		{ "h1", ns_t_a, 0, 2, "10.9.0.1" },
		{ "H1", ns_t_aaaa, 0, 1, "fd00::1" },
		{ "www.example.net", ns_t_a, 0, 1, "10.9.0.1" },
		{ "h3", ns_t_a, 0, 1, "10.9.0.3" },
		{ "h3", ns_t_aaaa, 0, 0, NULL }, /* there is such a name */
		{ "h9", ns_t_a, ns_r_nxdomain, 0, NULL },
		{ "h", ns_t_a, ns_r_nxdomain, 0, NULL },
		{ "more", ns_t_a, ns_r_nxdomain, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lookup l = ask(cases[i].name, cases[i].type);
		char text[IP_TEXT_LEN];

		assert_int_equal(l.rcode, cases[i].rcode);
		assert_int_equal(l.n, cases[i].n);
		if (!cases[i].first)
			continue;
		ip_format(&l.addresses[0], text);
		assert_string_equal(text, cases[i].first);
	}
}

static void addresses_have_their_name(void **state)
{
	uint8_t q[300], answer[512];
	size_t len = name_server_answer(hosts, q, question(q, "3.0.9.10.in-addr.arpa", ns_t_ptr),
					answer, sizeof(answer));

	(void)state;
	assert_true(len > 0);
	assert_int_equal(answer[3] & 15, 0);
	assert_int_equal(answer[7], 1);
	assert_memory_equal(answer + len - 4, "\2h3", 4);
	assert_int_equal(ask("9.0.9.10.in-addr.arpa", ns_t_ptr).rcode, ns_r_nxdomain);
}

static void what_is_no_question_is_not_answered(void **state)
{
	uint8_t q[300], answer[512];
	size_t len = question(q, "h1", ns_t_a);
	struct lookup l = { .name = "h1" };

	(void)state;
	assert_int_equal(name_server_answer(hosts, q, 5, answer, sizeof(answer)), 0);
	q[2] |= 0x80; /* an answer */
	assert_int_equal(name_server_answer(hosts, q, len, answer, sizeof(answer)), 0);
	assert_int_equal(lookup_parse(q, 7, ID, &l), -EBADMSG);
	assert_int_equal(lookup_parse(q, len, ID + 1, &l), -EBADMSG);
}

static void more_than_fits_is_cut(void **state)
{
	char many[4096] = "";
	uint8_t q[300], answer[512];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "10.0.0.%d many\n", i);
	len = name_server_answer(many, q, question(q, "many", ns_t_a), answer, sizeof(answer));
	assert_true(len > 12 && len <= sizeof(answer));
	assert_true(answer[2] & 2); /* truncated */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_their_addresses),
		cmocka_unit_test(addresses_have_their_name),
		cmocka_unit_test(what_is_no_question_is_not_answered),
		cmocka_unit_test(more_than_fits_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

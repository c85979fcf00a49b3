/* tests/unit/why/test_wish.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "why/wish.h"

static void split(const char *text, struct strv *ret)
{
	for (; *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		strv_addf(ret, "%.*s", (int)len, text);
		text += len;
	}
}

/* A9.14 */
static void wishes_become_rules(void **state)
{
	static const struct {
		const char *wish, *iptables, *nft;
	} cases[] = {
		{ "block source 192.0.2.9", "iptables -I INPUT -s 192.0.2.9 -j DROP",
		  "nft insert rule inet filter input ip saddr 192.0.2.9 drop" },
		{ "allow in tcp 80,443",
		  "iptables -I INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
		  "nft insert rule inet filter input tcp dport '{ 80,443 }' accept" },
		{ "block out tcp port 22", "iptables -I OUTPUT -p tcp --dport 22 -j DROP",
		  "nft insert rule inet filter output tcp dport 22 drop" },
		{ "block to fd00::/8", "ip6tables -I OUTPUT -d fd00::/8 -j DROP",
		  "nft insert rule inet filter output ip6 daddr fd00::/8 drop" },
		{ "allow through udp 8000-8010 from 10.0.0.0/8",
		  "iptables -I FORWARD -s 10.0.0.0/8 -p udp -m multiport --dports 8000:8010 -j ACCEPT",
		  "nft insert rule inet filter forward ip saddr 10.0.0.0/8 udp dport 8000-8010 accept" },
		{ "block through udp 53 to 10.0.0.0/8",
		  "iptables -I FORWARD -d 10.0.0.0/8 -p udp --dport 53 -j DROP",
		  "nft insert rule inet filter forward ip daddr 10.0.0.0/8 udp dport 53 drop" },
		{ "block from 10.0.0.1 to 10.0.0.2 through",
		  "iptables -I FORWARD -s 10.0.0.1 -d 10.0.0.2 -j DROP",
		  "nft insert rule inet filter forward ip saddr 10.0.0.1 ip daddr 10.0.0.2 drop" },
		{ "allow in to 192.0.2.1 tcp 80",
		  "iptables -I INPUT -d 192.0.2.1 -p tcp --dport 80 -j ACCEPT",
		  "nft insert rule inet filter input ip daddr 192.0.2.1 tcp dport 80 accept" },
		{ "block out from 10.0.0.1 10.0.0.2",
		  "iptables -I OUTPUT -s 10.0.0.1 -d 10.0.0.2 -j DROP",
		  "nft insert rule inet filter output ip saddr 10.0.0.1 ip daddr 10.0.0.2 drop" },
		{ "block in icmp", "iptables -I INPUT -p icmp -j DROP",
		  "nft insert rule inet filter input meta l4proto icmp drop" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_done) struct buf iptables = BUF_INIT(500), nft = BUF_INIT(500);
		struct strv words = { 0 }, lines = { 0 };
		struct error err = { 0 };
		struct wish wish;

		split(cases[i].wish, &words);
		assert_int_equal(wish_parse(&words, &wish, &err), 0);
		wish_iptables(&wish, &iptables);
		wish_nft(&wish, &nft);
		wish_explain(&wish, &lines);
		assert_string_equal(buf_text(&iptables), cases[i].iptables);
		assert_string_equal(buf_text(&nft), cases[i].nft);
		assert_true(lines.n >= 2);
		strv_done(&words);
		strv_done(&lines);
	}
}

static void what_is_no_wish_is_refused(void **state)
{
	static const struct {
		const char *wish, *error;
	} cases[] = {
		{ "block", "a wish is such as 'block source 192.0.2.9' or 'allow in tcp 80,443'" },
		{ "stop 192.0.2.9", "'stop': a wish begins with block or allow" },
		{ "block in 80", "'80': ports are of tcp or of udp: say which before them" },
		{ "block in tcp 80,x", "'80,x': expected ports, such as 80,443 or 8000-8010" },
		{ "block in icmp 80", "only tcp, udp and sctp have ports" },
		{ "block source 192.0.2", "'192.0.2': expected an address or a subnet" },
		{ "block in tcp 80,", "'80,': expected ports, such as 80,443 or 8000-8010" },
		/* one of two is not the wish */
		{ "block in tcp 80 udp 53", "'udp': a protocol is said already" },
		{ "block in tcp 80 443", "'443': ports are said already" },
		{ "block from 10.0.0.1 from 10.0.0.2", "'10.0.0.2': an address is said already" },
		{ "block in from 10.0.0.1 10.0.0.2", "two addresses: say from or to before each" },
		{ "block from 10.0.0.1 to 10.0.0.2",
		  "from one address to another: say in, out or through as well" },
		{ "block through from 10.0.0.1 to fd00::1",
		  "'fd00::1': one address is IPv4, the other IPv6" },
		{ "block in out icmp", "'out': in, out or through is said already" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv words = { 0 };
		struct error err = { 0 };
		struct wish wish;

		split(cases[i].wish, &words);
		assert_int_equal(wish_parse(&words, &wish, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].error);
		strv_done(&words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wishes_become_rules),
		cmocka_unit_test(what_is_no_wish_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/fuzz/fuzz_dns_message.c - a packet from a container, and what goes back. */
#include "fuzz.h"
#include "network/dns_resolve.h"

static void check_answer(const struct dns_query *q, struct dns_answer *a, int rcode, size_t max)
{
	size_t len = dns_answer_finish(a, rcode);
	ns_msg msg;

	fuzz_must(len >= DNS_HEADER && len <= max);
	fuzz_must(ns_initparse(a->bytes, (int)len, &msg) == 0);
	fuzz_must(ns_msg_count(msg, ns_s_an) == a->count);
	fuzz_must(dns_response_fits(a->bytes, len, q->id, q) || q->question_len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char names[] = "add red c1 10.0.0.2,fd00::2 web,a -\n"
				    "add red c2 10.0.0.3 db,a -\nend\n";
	static struct dns_zone zone = { .network = "red", .gateways = { "10.0.0.1", "fd00::1" } };
	uint8_t bytes[DNS_UDP_MAX];
	struct dns_answer a;
	struct dns_query q;
	struct dns_view view;
	int rcode = dns_query_parse(data, size, &q);

	if (!zone.records) {
		zone.records = dns_records_new();
		fuzz_must(dns_records_apply(zone.records, names, sizeof(names) - 1, NULL) == 0);
	}
	if (rcode < 0)
		return 0;
	fuzz_must(q.question_len <= sizeof(q.question) && q.udp_max >= DNS_UDP_PLAIN);
	dns_answer_init(&a, &q, bytes, MIN((size_t)q.udp_max, sizeof(bytes)));
	if (rcode == 0) {
		view = dns_view_of(zone.records, zone.network, "10.0.0.2");
		rcode = dns_resolve(&zone, &view, &q, &a);
	}
	if (rcode != DNS_FORWARD)
		check_answer(&q, &a, rcode, MIN((size_t)q.udp_max, sizeof(bytes)));
	(void)dns_response_fits(data, size, q.id, &q);
	return 0;
}

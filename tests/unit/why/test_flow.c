/* tests/unit/why/test_flow.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "why/flow.h"
#include "why/journey.h"

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* An event with the headers of a TCP packet. */
static struct note tcp(size_t place, uint32_t id, enum trace_mark mark, const char *from,
		       unsigned sport, const char *to, unsigned dport, uint8_t flags)
{
	struct note note = { .place = place,
			     .e = { .id = id,
				    .mark_of = mark,
				    .network = { 0x45, [8] = 64, [9] = IPPROTO_TCP },
				    .network_len = 20,
				    .transport_len = 20 } };

	assert_int_equal(inet_pton(AF_INET, from, note.e.network + 12), 1);
	assert_int_equal(inet_pton(AF_INET, to, note.e.network + 16), 1);
	put16(note.e.transport, sport);
	put16(note.e.transport + 2, dport);
	note.e.transport[13] = flags;
	return note;
}

/* An error about a packet of that protocol; the kernel shows 20 bytes of it. */
static struct note unreachable(uint32_t id, const char *from, const char *to, uint8_t inner)
{
	struct note note = tcp(0, id, TRACE_IN, from, 0x0303, to, 0, 0);

	note.e.network[9] = IPPROTO_ICMP;
	note.e.transport[8] = 0x45;
	note.e.transport[8 + 9] = inner;
	return note;
}

static struct note without_headers(size_t place, uint32_t id)
{
	return (struct note) { .place = place, .e = { .id = id } };
}

static struct probe_plan plan_to(const char *to, uint16_t port)
{
	struct probe_plan plan = { .protocol = IPPROTO_TCP, .port = port };

	assert_int_equal(ip_parse(to, &plan.to), 0);
	return plan;
}

static void the_first_packet_is_the_one_that_was_described(void **state)
{
	const struct probe_plan plan = plan_to("192.0.2.1", 80);
	const struct note notes[] = {
		tcp(0, 1, TRACE_IN, "192.0.2.2", 5000, "192.0.2.9", 80, TH_SYN),
		tcp(0, 2, TRACE_IN, "192.0.2.2", 5000, "192.0.2.1", 81, TH_SYN),
		tcp(0, 3, TRACE_IN, "192.0.2.2", 5000, "192.0.2.1", 80, TH_SYN | TH_ACK),
		tcp(0, 4, TRACE_IN, "192.0.2.7", 5001, "192.0.2.1", 80, TH_SYN),
	};
	struct probe_plan other = plan;
	struct flow f = { 0 };

	(void)state;
	assert_false(flow_find(&f, &plan, notes, 3));
	assert_true(flow_find(&f, &plan, notes, 4));
	assert_int_equal(f.names[0].sport, 5001);
	assert_int_equal(ip_parse("192.0.2.8", &other.from), 0);
	assert_false(flow_find(&f, &other, notes, 4));
}

static void it_is_followed_through_translation(void **state)
{
	const struct probe_plan plan = plan_to("192.0.2.1", 80);
	struct note notes[] = {
		/* the namespace behind the translation is read first */
		tcp(1, 7, TRACE_IN, "172.16.0.1", 40000, "172.16.0.2", 8080, TH_SYN),
		tcp(1, 8, TRACE_OUT, "172.16.0.2", 8080, "172.16.0.1", 40000, TH_SYN | TH_ACK),
		tcp(1, 9, TRACE_IN, "172.16.0.1", 40001, "172.16.0.2", 8080, TH_SYN), /* no */
		tcp(0, 1, TRACE_IN, "192.0.2.2", 5000, "192.0.2.1", 80, TH_SYN),
		tcp(0, 5, TRACE_IN, "192.0.2.2", 5000, "192.0.2.1", 22, TH_SYN), /* no */
		without_headers(0, 1),
		without_headers(0, 5), /* no */
		tcp(0, 1, TRACE_FORWARDED, "192.0.2.2", 5000, "172.16.0.2", 8080, TH_SYN),
		tcp(0, 1, TRACE_SENT, "172.16.0.1", 40000, "172.16.0.2", 8080, TH_SYN),
		tcp(0, 1, TRACE_IN, "192.0.2.3", 5000, "192.0.2.4", 99, TH_SYN), /* no: 1 again */
		without_headers(0, 1),                                           /* no */
		tcp(0, 6, TRACE_SENT, "192.0.2.1", 80, "192.0.2.2", 5000, TH_SYN | TH_ACK),
	};
	struct flow f = { 0 };
	struct ends e;

	(void)state;
	assert_true(flow_find(&f, &plan, notes, ARRAY_SIZE(notes)));
	assert_int_equal(flow_keep(&f, notes, ARRAY_SIZE(notes)), 7);
	assert_int_equal(f.n, 3);
	assert_true(journey_ends(&notes[0].e, &e));
	assert_int_equal(flow_side(&f, &e), FLOW_REQUEST);
	assert_true(journey_ends(&notes[1].e, &e));
	assert_int_equal(flow_side(&f, &e), FLOW_ANSWER);
	assert_int_equal(notes[6].e.id, 6);
}

static void errors_about_it_belong_to_it(void **state)
{
	const struct probe_plan plan = plan_to("192.0.2.1", 80);
	struct note notes[] = {
		tcp(0, 1, TRACE_IN, "192.0.2.2", 5000, "192.0.2.1", 80, TH_SYN),
		unreachable(2, "192.0.2.1", "192.0.2.2", IPPROTO_TCP),
		unreachable(3, "192.0.2.1", "192.0.2.2", IPPROTO_UDP),
		unreachable(4, "192.0.2.1", "192.0.2.3", IPPROTO_TCP),
	};
	struct flow f = { 0 };

	(void)state;
	assert_true(flow_find(&f, &plan, notes, ARRAY_SIZE(notes)));
	assert_int_equal(flow_keep(&f, notes, ARRAY_SIZE(notes)), 2);
	assert_int_equal(notes[1].e.id, 2);
}

static void nothing_is_nothing(void **state)
{
	const struct probe_plan plan = plan_to("192.0.2.1", 80);
	struct flow f = { 0 };

	(void)state;
	assert_false(flow_find(&f, &plan, NULL, 0));
	assert_int_equal(flow_keep(&f, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_packet_is_the_one_that_was_described),
		cmocka_unit_test(it_is_followed_through_translation),
		cmocka_unit_test(errors_about_it_belong_to_it),
		cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}

/* tests/unit/network/test_dns_forward.c - servers are sockets on the loopback, time is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "network/dns_forward.h"

static const char question[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1";
#define LEN (sizeof(question) - 1)

struct scene {
	int epoll, server[DNS_SERVERS_MAX];
	struct dns_servers servers;
	struct dns_forward *forward, *list;
	unsigned ended;
	int64_t start;
	int rcode; /* -1: no answer */
};

static void done(struct dns_forward *f, uint8_t *message, size_t len)
{
	struct scene *scene = f->owner;

	(void)len;
	scene->ended++;
	scene->rcode = message ? dns_response_rcode(message) : -1;
}

static struct scene *scene_new(size_t n)
{
	struct scene *scene = xnew(struct scene);
	struct dns_query query;

	scene->start = clock_monotonic_ms();
	scene->epoll = epoll_create1(EPOLL_CLOEXEC);
	scene->servers.n = n;
	for (size_t i = 0; i < n; i++) {
		union dns_address *at = &scene->servers.list[i];
		socklen_t room = sizeof(*at);

		scene->server[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		at->in.sin_family = AF_INET;
		at->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		assert_int_equal(bind(scene->server[i], &at->any, sizeof(at->in)), 0);
		assert_int_equal(getsockname(scene->server[i], &at->any, &room), 0);
	}
	assert_int_equal(dns_query_parse(question, LEN, &query), 0);
	scene->forward =
		dns_forward_new(scene->epoll, &query, question, LEN, &scene->servers, false);
	scene->forward->done = done;
	scene->forward->owner = scene;
	scene->forward->prefer = &scene->servers;
	return scene;
}

static void scene_free(struct scene *scene)
{
	for (size_t i = 0; i < scene->servers.n; i++)
		(void)close(scene->server[i]);
	(void)close(scene->epoll);
	assert_null(scene->list);
	free(scene);
}

/* How many questions came to server i; it answers the last with this rcode, -1 for not at all. */
static unsigned serve(struct scene *scene, size_t i, int rcode)
{
	union dns_address from;
	socklen_t room = sizeof(from);
	uint8_t bytes[512], again[512];
	unsigned n = 0;

	while (recvfrom(scene->server[i], bytes, sizeof(bytes), 0, &from.any, &room) == LEN) {
		assert_memory_equal(bytes + 2, question + 2, LEN - 2);
		memcpy(again, bytes, LEN);
		n++;
	}
	if (n > 0 && rcode >= 0) {
		again[2] |= 0x80;
		again[3] = (uint8_t)rcode;
		assert_int_equal(sendto(scene->server[i], again, LEN, 0, &from.any, room), LEN);
	}
	return n;
}

static void handle(struct scene *scene)
{
	struct epoll_event event;

	while (epoll_wait(scene->epoll, &event, 1, 0) == 1) {
		struct dns_source *source = event.data.ptr;

		source->ready(source, event.events);
	}
}

static void the_first_is_asked_alone_and_answers(void **state)
{
	struct scene *scene = scene_new(2);

	(void)state;
	dns_forward_start(scene->forward, &scene->list, scene->start);
	assert_int_equal(serve(scene, 0, ns_r_noerror), 1);
	assert_int_equal(serve(scene, 1, -1), 0);
	handle(scene);
	assert_int_equal(scene->ended, 1);
	assert_int_equal(scene->rcode, ns_r_noerror);
	scene_free(scene);
}

static void a_silent_one_gets_company_and_the_faster_is_remembered(void **state)
{
	struct scene *scene = scene_new(2);

	(void)state;
	dns_forward_start(scene->forward, &scene->list, scene->start);
	dns_forward_timer(scene->forward, scene->start + DNS_RACE_MS - 1);
	assert_int_equal(serve(scene, 1, -1), 0);
	dns_forward_timer(scene->forward, scene->start + DNS_RACE_MS);
	assert_int_equal(serve(scene, 1, ns_r_nxdomain), 1);
	handle(scene);
	assert_int_equal(scene->rcode, ns_r_nxdomain);
	assert_int_equal(scene->servers.first, 1);
	scene_free(scene);
}

static void a_refusal_is_told_only_if_nobody_does_better(void **state)
{
	struct scene *scene = scene_new(2);

	(void)state;
	dns_forward_start(scene->forward, &scene->list, scene->start);
	assert_int_equal(serve(scene, 0, ns_r_servfail), 1);
	handle(scene); /* the second is asked at once */
	assert_int_equal(scene->ended, 0);
	assert_int_equal(serve(scene, 1, ns_r_refused), 1);
	handle(scene);
	assert_int_equal(scene->ended, 1);
	assert_int_equal(scene->rcode, ns_r_refused);
	scene_free(scene);
}

static void where_nobody_listens_nobody_is_waited_for(void **state)
{
	struct scene *scene = scene_new(2);

	(void)state;
	(void)close(scene->server[0]);
	scene->server[0] = -1;
	dns_forward_start(scene->forward, &scene->list, scene->start);
	handle(scene);
	assert_int_equal(serve(scene, 1, ns_r_noerror), 1);
	handle(scene);
	assert_int_equal(scene->rcode, ns_r_noerror);
	scene_free(scene);
}

static void all_are_asked_again_and_then_it_is_over(void **state)
{
	struct scene *scene = scene_new(2);

	(void)state;
	dns_forward_start(scene->forward, &scene->list, 0);
	for (int64_t now = 0; now < DNS_GIVE_UP_MS; now += 100)
		dns_forward_timer(scene->forward, now);
	assert_int_equal(serve(scene, 0, -1), 2);
	assert_int_equal(serve(scene, 1, -1), 2);
	assert_int_equal(scene->ended, 0);
	dns_forward_timer(scene->forward, DNS_GIVE_UP_MS);
	assert_int_equal(scene->ended, 1);
	assert_int_equal(scene->rcode, -1);
	scene_free(scene);
}

/* With another ID it is not taken, and the right one still is. */
static void a_forgery_is_passed_over(void **state)
{
	struct scene *scene = scene_new(1);
	union dns_address from;
	socklen_t room = sizeof(from);
	uint8_t bytes[512];

	(void)state;
	dns_forward_start(scene->forward, &scene->list, scene->start);
	assert_int_equal(recvfrom(scene->server[0], bytes, sizeof(bytes), 0, &from.any, &room),
			 LEN);
	bytes[2] |= 0x80;
	bytes[0] ^= 1;
	assert_int_equal(sendto(scene->server[0], bytes, LEN, 0, &from.any, room), LEN);
	handle(scene);
	assert_int_equal(scene->ended, 0);
	bytes[0] ^= 1;
	assert_int_equal(sendto(scene->server[0], bytes, LEN, 0, &from.any, room), LEN);
	handle(scene);
	assert_int_equal(scene->ended, 1);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_asked_alone_and_answers),
		cmocka_unit_test(a_silent_one_gets_company_and_the_faster_is_remembered),
		cmocka_unit_test(a_refusal_is_told_only_if_nobody_does_better),
		cmocka_unit_test(where_nobody_listens_nobody_is_waited_for),
		cmocka_unit_test(all_are_asked_again_and_then_it_is_over),
		cmocka_unit_test(a_forgery_is_passed_over),
	};

	return cmocka_run_group_tests_name("network/dns_forward", tests, NULL, NULL);
}

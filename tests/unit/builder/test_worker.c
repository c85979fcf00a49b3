/* tests/unit/builder/test_worker.c - what a worker says to the build, and waits for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "builder/build.h"
#include "builder/crew.h"
#include "builder/step.h"
#include "builder/wire.h"

struct pair {
	int boss, worker;
	struct error err;
	struct build b;
	struct state states[2];
};

static void pair_open(struct pair *p)
{
	int socks[2];

	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks), 0);
	p->boss = socks[0];
	p->worker = socks[1];
	p->b = (struct build) { .boss = p->worker, .err = &p->err, .states = p->states };
	assert_int_equal(
		scope_given_init(&p->b.given, &(const struct strv) { NULL, 0, 0 }, NULL, NULL), 0);
}

static void pair_close(struct pair *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->states); i++)
		state_done(&p->states[i]);
	scope_given_done(&p->b.given);
	if (p->boss >= 0)
		(void)close(p->boss);
	(void)close(p->worker);
}

static void a_stage_that_is_needed_comes(void **state)
{
	struct wire wire = WIRE_INIT;
	autofree char *text = NULL;
	struct state other;
	uint32_t number = 0;
	struct pair p;

	(void)state;
	pair_open(&p);
	state_init_scratch(&other, &p.b.given, '\\', NULL);
	state_set_text(&other, "WorkingDir", "/there");
	text = state_dump(&other);
	/* The answer lies there before it is asked for. */
	assert_int_equal(wire_send(p.boss, WIRE_STATE, text, strlen(text)), 0);
	assert_int_equal(crew_need(&p.b, 1), 0);
	assert_string_equal(state_text(&p.states[1], "WorkingDir"), "/there");
	assert_int_equal(wire_receive(p.boss, &wire), 1);
	assert_int_equal(wire.kind, WIRE_NEED);
	assert_int_equal(wire.bytes.len, sizeof(number));
	memcpy(&number, wire.bytes.data, sizeof(number));
	assert_int_equal(number, 1);
	/* What it has it does not ask for again: nobody would answer. */
	assert_int_equal(crew_need(&p.b, 1), 0);
	wire_done(&wire);
	state_done(&other);
	pair_close(&p);
}

static void without_a_boss_nothing_is_waited_for(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.b.boss = -1;
	assert_int_equal(crew_need(&p.b, 0), 0);
	assert_int_equal(crew_alone(&p.b), 0);
	pair_close(&p);
}

static void the_end_of_the_build_ends_the_wait(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(shutdown(p.boss, SHUT_WR), 0);
	assert_int_equal(crew_need(&p.b, 0), -ECANCELED);
	assert_string_equal(p.err.text, "the build ended meanwhile");
	assert_int_equal(crew_alone(&p.b), -ECANCELED);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stage_that_is_needed_comes),
		cmocka_unit_test(without_a_boss_nothing_is_waited_for),
		cmocka_unit_test(the_end_of_the_build_ends_the_wait),
	};

	return cmocka_run_group_tests_name("builder/worker", tests, NULL, NULL);
}

/* tests/unit/why/test_tell.c - a journey as its events would make it: judged and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>

#include "rules.h"
#include "why/judge.h"
#include "why/journey.h"
#include "why/tell.h"

#define NOTES 4

/* From 10.0.0.1:1234 to 10.0.0.2:80, a SYN. */
static void put_headers(struct trace_event *e)
{
	static const uint8_t ip[20] = { 0x45, 0, 0,  40, 0, 0, 0,  0, 64, IPPROTO_TCP,
					0,    0, 10, 0,  0, 1, 10, 0, 0,  2 };
	static const uint8_t tcp[20] = { 1234 >> 8, 1234 & 0xff, 0, 80, 0, 0,    0,
					 0,         0,           0, 0,  0, 0x50, 2 };

	memcpy(e->network, ip, sizeof(ip));
	memcpy(e->transport, tcp, sizeof(tcp));
	e->network_len = sizeof(ip);
	e->transport_len = sizeof(tcp);
}

static struct note event(const char *chain, enum trace_kind kind, uint64_t handle,
			 enum verdict verdict)
{
	struct note n = { .e = { .id = 7, .family = FAMILY_IP, .kind = kind } };

	(void)snprintf(n.e.table, sizeof(n.e.table), "filter");
	(void)snprintf(n.e.chain, sizeof(n.e.chain), "%s", chain);
	n.e.handle = handle;
	n.e.verdict = verdict;
	put_headers(&n.e);
	return n;
}

static void number_rules(struct ruleset *rs)
{
	uint64_t handle = 1;

	for (size_t k = 0; k < rs->tables[0]->nchains; k++)
		for (size_t i = 0; i < rs->tables[0]->chains[k]->n; i++)
			rs->tables[0]->chains[k]->rules[i].handle = handle++;
}

static uint64_t handle_of(const struct ruleset *rs, const char *chain, size_t i)
{
	return table_chain(rs->tables[0], chain)->rules[i].handle;
}

static void a_drop_is_named_and_told(void **state)
{
	const struct probe_plan plan = { .protocol = IPPROTO_TCP,
					 .port = 80,
					 .to = { .family = AF_INET, .bytes = { 10, 0, 0, 2 } } };
	char name[] = "this host\033[2J";
	struct place place = { .fd = -1, .name = name, .has_rules = true };
	struct note notes[NOTES] = { 0 };
	size_t order[NOTES] = { 0, 1, 2, 3 };
	struct visit visit = { .packet = 1, .id = 7, .notes = order, .n = NOTES };
	struct journey j = { .plan = &plan, .places = { &place, 1, 1 }, .probe = PROBE_INIT };
	struct judgement g;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	json_t *doc;

	(void)state;
	rules_xt(&place.rules, RULES_XT_INPUT("-A INPUT -p tcp -j U\n-A INPUT -p tcp -j DROP\n"
					      "-A U -p udp -j ACCEPT\n"));
	number_rules(&place.rules);
	notes[0] = event("", TRACE_RULE, 0, VERDICT_NONE);
	notes[0].e.mark_of = TRACE_IN;
	visit.has[TRACE_IN] = true;
	notes[1] = event("INPUT", TRACE_RULE, handle_of(&place.rules, "INPUT", 0), VERDICT_JUMP);
	(void)snprintf(notes[1].e.target, sizeof(notes[1].e.target), "U");
	notes[2] = event("U", TRACE_END, 0, VERDICT_NONE);
	notes[3] = event("INPUT", TRACE_RULE, handle_of(&place.rules, "INPUT", 1), VERDICT_DROP);
	j.notes = notes;
	j.nnotes = NOTES;
	j.visits = &visit;
	j.n = 1;
	judge(&j, &g);
	assert_int_equal(g.fate, FATE_DROPPED);
	assert_int_equal(fate_status(g.fate), 3);
	assert_ptr_equal(g.at, &notes[3]);
	tell_text(&j, &g, to);
	(void)fclose(to);
	assert_non_null(strstr(text, "request in this host?[2J\n"));
	assert_non_null(strstr(text, "arrives on ?: 10.0.0.1:1234 > 10.0.0.2:80"));
	assert_non_null(strstr(text, "none of its 1 rules decides, back to INPUT after rule 1"));
	assert_non_null(strstr(text, "rule 2: tcp packets are dropped   <== here"));
	assert_non_null(strstr(text, "by rule 2 of table ip filter, chain INPUT"));
	assert_null(strstr(text, "not told above"));
	doc = tell_json(&j, &g);
	assert_string_equal(json_string_value(json_object_get(doc, "verdict")), "dropped");
	assert_int_equal(json_array_size(json_object_get(doc, "steps")), NOTES);
	json_decref(doc);
	judgement_done(&g);
	ruleset_done(&place.rules);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_drop_is_named_and_told) };

	return cmocka_run_group_tests_name("why/tell", tests, NULL, NULL);
}

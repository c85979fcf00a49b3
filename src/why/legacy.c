/* src/why/legacy.c */
#include "why/legacy.h"

#include "base/strv.h"

bool legacy_has_say(const struct ruleset *rs, bool v6)
{
	const enum family family = v6 ? FAMILY_IP6 : FAMILY_IP;

	for (size_t i = 0; i < rs->n; i++) {
		const struct table *t = rs->tables[i];

		for (size_t k = 0;
		     t->backend == BACKEND_LEGACY && t->family == family && k < t->nchains; k++)
			if (t->chains[k]->n > 0 || (t->chains[k]->hook != HOOK_NONE &&
						    t->chains[k]->policy != VERDICT_ACCEPT))
				return true;
	}
	return false;
}

int legacy_describe(const struct legacy_packet *from, struct packet *ret)
{
	cleanup(strv_done) struct strv words = { 0 };
	const struct ends *e = &from->ends;
	char text[IP_TEXT_LEN];

	if (from->in) {
		strv_add(&words, "in");
		strv_add(&words, from->in);
	}
	if (from->out) {
		strv_add(&words, "out");
		strv_add(&words, from->out);
	}
	strv_add(&words, "from");
	ip_format(&e->from, text);
	strv_add(&words, text);
	strv_add(&words, "to");
	ip_format(&e->to, text);
	strv_add(&words, text);
	strv_add(&words, "proto");
	strv_addf(&words, "%u", e->protocol);
	if (e->protocol == IPPROTO_TCP || e->protocol == IPPROTO_UDP) {
		strv_add(&words, "sport");
		strv_addf(&words, "%u", e->sport);
		strv_add(&words, "dport");
		strv_addf(&words, "%u", e->dport);
	}
	strv_add(&words, "state");
	strv_add(&words, from->is_answer ? "established" : "new");
	return packet_parse(&words, ret, NULL);
}

bool legacy_takes(const struct ruleset *rs, const struct legacy_packet *packet,
		  const struct rule **ret_rule, const struct chain **ret_chain)
{
	struct packet described;
	struct check check;
	bool takes;

	if (!legacy_has_say(rs, packet->ends.from.family == AF_INET6) ||
	    legacy_describe(packet, &described) < 0)
		return false;
	check_run(rs, &described, NULL, &check);
	takes = (check.outcome == OUTCOME_DROPPED || check.outcome == OUTCOME_REFUSED) &&
		check.path.chain && check.path.chain->table->backend == BACKEND_LEGACY;
	if (takes) {
		*ret_rule = check.path.rule;
		*ret_chain = check.path.chain;
	}
	check_done(&check);
	return takes;
}

/* src/network/check_rules.c */
#include "network/check_rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/nft_chain.h"
#include "network/table.h"

static const struct {
	const char *chain, *without;
} chains[] = {
	{ "raw_pre", "what a neighbour sends to 127.0.0.1 or straight to a container is let in" },
	{ "local_out", "published ports do not answer on ::1" },
	{ "local_in", "published ports do not answer on ::1" },
	{ "publish", "published ports do not answer" },
	{ "nat_pre", "published ports do not answer from outside, whose packets pass the hook "
		     "prerouting" },
	{ "nat_out", "published ports do not answer this host itself, whose own packets pass the "
		     "hook output and never prerouting" },
	{ "nat_post", "packets leave with a container's own address, to which there is no way "
		      "back" },
	{ "forward", "networks reach one another, and what is not published is reached" },
};

/* As the text of the table has it: lines of a chain that are not its type. */
static size_t rules_wanted(const char *chain)
{
	autofree char *head = xasprintf("\tchain %s {\n", chain);
	const char *line = strstr(table_rules_text, head);
	size_t n = 0;

	if (!line)
		return 0;
	for (line += strlen(head); strncmp(line, "\t}", 2) != 0; line = strchr(line, '\n') + 1)
		n += strncmp(line, "\t\ttype ", 7) != 0;
	return n;
}

struct census {
	const char *table;
	size_t rules[ARRAY_SIZE(chains)];
	int r;
};

static void count_rule(void *data, const struct nft_seen_rule *rule)
{
	(void)rule;
	(*(size_t *)data)++;
}

static void count_chain(void *data, const struct nft_chain *chain)
{
	struct census *c = data;

	if (chain->family != NFPROTO_INET || strcmp(chain->table, c->table) != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		if (c->r == 0 && strcmp(chain->name, chains[i].chain) == 0)
			c->r = nft_chain_rules(chain, count_rule, &c->rules[i]);
}

int check_rules(const char *table, void (*report)(void *data, const char *text), void *data,
		struct error *err)
{
	struct census census = { .table = table };
	int r = nft_chain_list(count_chain, &census), found = 0;

	if (r == 0 && census.r < 0)
		r = census.r;
	if (r < 0)
		return error_sys(err, r, "list the chains of nftables table inet %s", table);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		size_t want = rules_wanted(chains[i].chain);
		autofree char *text =
			xasprintf("table inet %s: chain %s has %zu rules, not %zu: %s", table,
				  chains[i].chain, census.rules[i], want, chains[i].without);

		if (census.rules[i] == want)
			continue;
		report(data, text);
		found++;
	}
	return found;
}

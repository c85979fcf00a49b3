/* src/network/foreign.c */
#include "network/foreign.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/strv.h"
#include "kernel/nft_chain.h"
#include "kernel/xtables.h"
#include "network/attach.h"
#include "network/firewalld.h"
#include "network/names_port.h"
#include "network/network.h"

#define COMMENT      "strake: " /* then the link, then what it is for */
#define OWN_TABLE    "strake"   /* and strake-N */
#define DOCKER_CHAIN "DOCKER-USER"
#define RULES_MAX    2

struct bridge {
	const char *network, *link, *libexec;
	bool ip4, ip6;     /* what it carries */
	uint16_t dns_port; /* where its names are answered; 0: nowhere */
};

static struct bridge bridge_of(const struct network_site *site, const struct network *network)
{
	return (struct bridge) {
		.network = network->name,
		.link = network->link,
		.libexec = site->libexec,
		.ip4 = network_subnet(network, AF_INET) != NULL,
		.ip6 = network_subnet(network, AF_INET6) != NULL,
		.dns_port = network->dns_off ? 0 : names_port(site, network),
	};
}

struct chains {
	struct nft_chain *items;
	size_t n, room;
};

static void take_chain(void *data, const struct nft_chain *chain)
{
	struct chains *chains = data;
	size_t own = strlen(OWN_TABLE);
	bool ours = strncmp(chain->table, OWN_TABLE, own) == 0 &&
		    (chain->table[own] == '\0' || chain->table[own] == '-');

	if (ours || (chain->family != NFPROTO_IPV4 && chain->family != NFPROTO_IPV6 &&
		     chain->family != NFPROTO_INET))
		return;
	VEC_GROW(chains->items, chains->n, chains->room);
	chains->items[chains->n++] = *chain;
}

static int list_chains(struct chains *ret, struct error *err)
{
	int r = nft_chain_list(take_chain, ret);

	/* A script is for anybody to read, and to run as root. */
	if (r == -EPERM && explain_dry()) {
		(void)explain_note("could not look for other firewalls without root: if one drops "
				   "forwarded packets, it drops these");
		return 0;
	}
	return r < 0 ? error_sys(err, r, "list the chains of other firewalls") : 0;
}

static bool is_in(const struct chains *chains, const char *table)
{
	for (size_t i = 0; i < chains->n; i++)
		if (strcmp(chains->items[i].table, table) == 0)
			return true;
	return false;
}

/* Where the rules go: Docker leaves a chain to others, which it does not empty. */
static const struct nft_chain *place_in(const struct chains *chains, const struct nft_chain *base)
{
	for (size_t i = 0; base->hook == NF_INET_FORWARD && i < chains->n; i++) {
		const struct nft_chain *c = &chains->items[i];

		if (c->family == base->family && strcmp(c->table, base->table) == 0 &&
		    strcmp(c->name, DOCKER_CHAIN) == 0)
			return c;
	}
	return base;
}

/* what there is, what there should be */

struct wanted {
	struct nft_accept rules[RULES_MAX];
	char comments[RULES_MAX][NFT_COMMENT_LEN];
	bool seen[RULES_MAX];
	size_t n;
};

static void want_forward(const struct bridge *bridge, struct wanted *w)
{
	for (size_t i = 0; i < RULES_MAX; i++) {
		(void)snprintf(w->comments[i], sizeof(w->comments[i]), COMMENT "%s %s",
			       bridge->link, i ? "in" : "out");
		w->rules[i] = (struct nft_accept) { .link = bridge->link,
						    .out = i == 0,
						    .comment = w->comments[i] };
	}
	w->n = RULES_MAX;
}

static void want_names(const struct bridge *bridge, struct wanted *w)
{
	for (size_t i = 0; i < RULES_MAX; i++) {
		(void)snprintf(w->comments[i], sizeof(w->comments[i]), COMMENT "%s names %s %u",
			       bridge->link, i ? "udp" : "tcp", bridge->dns_port);
		w->rules[i] = (struct nft_accept) { .link = bridge->link,
						    .protocol = i ? IPPROTO_UDP : IPPROTO_TCP,
						    .port = bridge->dns_port,
						    .comment = w->comments[i] };
	}
	w->n = RULES_MAX;
}

struct survey {
	const struct nft_chain *chain;
	char prefix[NFT_COMMENT_LEN]; /* of comments of this bridge */
	struct wanted wanted;
	uint64_t *stale; /* handles; owned */
	size_t nstale, room;
	bool ends_in_drop;
};

static void survey_rule(void *data, const struct nft_seen_rule *rule)
{
	struct survey *s = data;

	s->ends_in_drop = rule->drops;
	if (strncmp(rule->comment, s->prefix, strlen(s->prefix)) != 0)
		return;
	for (size_t i = 0; i < s->wanted.n; i++) {
		if (!s->wanted.seen[i] && strcmp(rule->comment, s->wanted.comments[i]) == 0) {
			s->wanted.seen[i] = true;
			return;
		}
	}
	VEC_GROW(s->stale, s->nstale, s->room);
	s->stale[s->nstale++] = rule->handle;
}

static int look(struct survey *s, const char *link, struct error *err)
{
	int r;

	(void)snprintf(s->prefix, sizeof(s->prefix), COMMENT "%s ", link);
	r = nft_chain_rules(s->chain, survey_rule, s);
	if (r == -ENOENT)
		r = 0;
	return r < 0 ? error_sys(err, r, "list chain %s of table %s", s->chain->name,
				 s->chain->table)
		     : 0;
}

/* Whether a base chain would stop the bridge. */
static int chain_stops(const struct nft_chain *base, const struct bridge *bridge, bool *ret,
		       struct error *err)
{
	struct survey s = { .chain = base };
	int r = 0;

	*ret = false;
	if ((base->hook != NF_INET_FORWARD &&
	     (base->hook != NF_INET_LOCAL_IN || !bridge->dns_port)) ||
	    (base->family == NFPROTO_IPV4 && !bridge->ip4) ||
	    (base->family == NFPROTO_IPV6 && !bridge->ip6) ||
	    strcmp(base->table, FIREWALLD_TABLE) == 0)
		return 0;
	if (!base->drops)
		r = look(&s, "", err);
	free(s.stale);
	*ret = base->drops || s.ends_in_drop;
	return r;
}

/* reports are NULL while nobody asks. */
struct foreign {
	const struct bridge *bridge;
	bool repair;
	void (*report)(void *data, const char *text);
	void *data;
	int found;
	int left; /* of those */
};

static void found(struct foreign *f, char *text)
{
	f->found++;
	if (f->report)
		f->report(f->data, text);
	free(text);
}

static int delete_stale(const struct survey *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->nstale; i++)
		r = nft_chain_delete(s->chain, s->stale[i], err);
	return r;
}

static int open_chain(struct foreign *f, const struct chains *chains, const struct nft_chain *base,
		      struct error *err)
{
	struct survey s = { .chain = place_in(chains, base) };
	size_t missing = 0;
	int r;

	if (base->hook == NF_INET_FORWARD)
		want_forward(f->bridge, &s.wanted);
	else
		want_names(f->bridge, &s.wanted);
	r = look(&s, f->bridge->link, err);
	for (size_t i = 0; i < s.wanted.n; i++)
		missing += !s.wanted.seen[i];
	if (r == 0 && missing > 0)
		found(f, xasprintf("chain %s of table %s %s drops %s network %s", base->name,
				   nft_family_name(base->family), base->table,
				   base->hook == NF_INET_FORWARD ? "the traffic of"
								 : "questions for names from",
				   f->bridge->network));
	for (size_t i = 0; r == 0 && f->repair && i < s.wanted.n; i++)
		if (!s.wanted.seen[i])
			r = nft_chain_accept(s.chain, &s.wanted.rules[i], err);
	if (r == 0 && f->repair)
		r = delete_stale(&s, err);
	free(s.stale);
	return r;
}

static int open_chains(struct foreign *f, const struct chains *chains, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < chains->n; i++) {
		bool stops;

		r = chain_stops(&chains->items[i], f->bridge, &stops, err);
		if (r == 0 && stops)
			r = open_chain(f, chains, &chains->items[i], err);
	}
	return r;
}

static int open_firewalld(struct foreign *f, struct error *err)
{
	bool known = false;
	int r = firewalld_knows(f->bridge->libexec, f->bridge->link, &known, err);

	if (r < 0 || known)
		return r;
	found(f, xasprintf("firewalld does not know the bridge of network %s", f->bridge->network));
	return f->repair ? firewalld_add(f->bridge->libexec, f->bridge->link, err) : 0;
}

static int open_all(struct foreign *f, struct error *err)
{
	struct chains chains = { 0 };
	int r = list_chains(&chains, err);

	if (r == 0)
		r = open_chains(f, &chains, err);
	if (r == 0 && is_in(&chains, FIREWALLD_TABLE))
		r = open_firewalld(f, err);
	free(chains.items);
	return r < 0 ? error_wrap(err, r, "let network %s through another firewall",
				  f->bridge->network)
		     : 0;
}

/* Of a bridge that we joined others have decided what may pass. */
int foreign_allow(const struct network_site *site, const struct network *network, struct error *err)
{
	const struct bridge bridge = bridge_of(site, network);
	struct foreign f = { .bridge = &bridge, .repair = true };

	return network->managed ? open_all(&f, err) : 0;
}

int foreign_forget(const struct network_site *site, const struct network *network,
		   struct error *err)
{
	struct chains chains = { 0 };
	int r = network->managed ? list_chains(&chains, err) : 0;

	if (r == -EPERM) /* who may not look has put nothing there */
		return 0;
	for (size_t i = 0; r == 0 && i < chains.n; i++) {
		struct survey s = { .chain = &chains.items[i] };

		if (s.chain->hook == NF_INET_FORWARD || s.chain->hook == NF_INET_LOCAL_IN ||
		    strcmp(s.chain->name, DOCKER_CHAIN) == 0)
			r = look(&s, network->link, err);
		if (r == 0)
			r = delete_stale(&s, err);
		free(s.stale);
	}
	if (r == 0 && is_in(&chains, FIREWALLD_TABLE))
		r = firewalld_remove(site->libexec, network->link, err);
	free(chains.items);
	return r;
}

static void check_legacy(struct foreign *f, int family, const char *program)
{
	if (!xtables_forward_drops(family, f->bridge->link))
		return;
	f->left++;
	found(f, xasprintf("%3$s drops the traffic of network %1$s, and its rules are not edited; "
			   "'%3$s -I FORWARD -i %2$s -j ACCEPT' and "
			   "'%3$s -I FORWARD -o %2$s -j ACCEPT' let it through",
			   f->bridge->network, f->bridge->link, program));
}

int foreign_check(const struct network_site *site, const struct network *network, bool repair,
		  void (*report)(void *data, const char *text), void *data, int *ret_left,
		  struct error *err)
{
	const struct bridge bridge = bridge_of(site, network);
	struct foreign f = { &bridge, repair, report, data, 0, 0 };
	int r = network->managed ? open_all(&f, err) : 0;

	if (r == 0 && bridge.ip4)
		check_legacy(&f, AF_INET, "iptables-legacy");
	if (r == 0 && bridge.ip6)
		check_legacy(&f, AF_INET6, "ip6tables-legacy");
	*ret_left = f.left;
	return r < 0 ? r : f.found;
}

/* rules whose network is gone */

struct leavings {
	const struct nft_chain *chain;
	const struct strv *links;
	uint64_t *handles; /* owned */
	size_t n, room;
	struct strv gone;
};

static void see_left(void *data, const struct nft_seen_rule *rule)
{
	struct leavings *l = data;
	autofree char *link = NULL;
	char *blank;

	if (strncmp(rule->comment, COMMENT, strlen(COMMENT)) != 0)
		return;
	link = xstrdup(rule->comment + strlen(COMMENT));
	blank = strchr(link, ' ');
	if (blank)
		*blank = '\0';
	if (strv_has(l->links, link))
		return;
	VEC_GROW(l->handles, l->n, l->room);
	l->handles[l->n++] = rule->handle;
	strv_add(&l->gone, link);
}

static int check_left_in(struct foreign *f, const struct nft_chain *chain, const struct strv *links,
			 struct error *err)
{
	struct leavings l = { .chain = chain, .links = links };
	int r = nft_chain_rules(chain, see_left, &l);

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		(void)error_sys(err, r, "list chain %s of table %s", chain->name, chain->table);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		found(f, xasprintf("a rule in chain %s of table %s accepts for link %s, which is "
				   "no network's",
				   chain->name, chain->table, l.gone.items[i]));
		if (f->repair)
			r = nft_chain_delete(chain, l.handles[i], err);
	}
	strv_done(&l.gone);
	free(l.handles);
	return r;
}

int foreign_check_left(const struct strv *links, bool repair,
		       void (*report)(void *data, const char *text), void *data, struct error *err)
{
	struct foreign f = { .repair = repair, .report = report, .data = data };
	struct chains chains = { 0 };
	int r = list_chains(&chains, err);

	for (size_t i = 0; r == 0 && i < chains.n; i++)
		if (chains.items[i].hook == NF_INET_FORWARD ||
		    chains.items[i].hook == NF_INET_LOCAL_IN ||
		    strcmp(chains.items[i].name, DOCKER_CHAIN) == 0)
			r = check_left_in(&f, &chains.items[i], links, err);
	free(chains.items);
	return r < 0 ? r : f.found;
}

/* src/why/ruleset.h - every firewall of a network namespace as one model: what nft(8), iptables and
 * ebtables each say in a language of their own.
 *
 * Tables have chains, chains have rules, a rule is a list of statements that is gone through from
 * left to right: a match that does not hold ends it.  Readers (nft_read.h, xt_read.h) build it,
 * ruleset_finish() joins it; from then on it is not changed.  All memory is the rule set's own.
 */
#ifndef WHY_RULESET_H
#define WHY_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "why/field.h"
#include "why/names.h"
#include "why/owner.h"

enum family { FAMILY_INET, FAMILY_IP, FAMILY_IP6, FAMILY_BRIDGE, FAMILY_ARP, FAMILY_NETDEV };
#define FAMILY_COUNT (FAMILY_NETDEV + 1)

/* In the order in which a packet may meet them. */
enum hook {
	HOOK_NONE, /* a chain to jump to */
	HOOK_INGRESS,
	HOOK_PREROUTING,
	HOOK_INPUT,
	HOOK_FORWARD,
	HOOK_OUTPUT,
	HOOK_POSTROUTING,
	HOOK_EGRESS,
};
#define HOOK_COUNT (HOOK_EGRESS + 1)

enum backend { BACKEND_NFT, BACKEND_XT_NFT, BACKEND_LEGACY };

enum verdict {
	VERDICT_NONE, /* on to the next rule */
	VERDICT_ACCEPT,
	VERDICT_DROP,
	VERDICT_REJECT,
	VERDICT_JUMP,
	VERDICT_GOTO,
	VERDICT_RETURN,
	VERDICT_QUEUE, /* a program decides */
};

#define SELECTORS_MAX 5
#define NAME_ROOM     256 /* of tables, chains and sets: the kernel's limit, with the NUL */

/* Elements of one set, or the right side of a match, which is a set without a name. */
struct element {
	struct range *keys;   /* one for each part of the key */
	struct range data[2]; /* of a map: an address, and a port */
	enum verdict verdict; /* of a verdict map */
	const char *target;
	struct chain *chain; /* that target names; after ruleset_finish() */
};
struct set {
	const char *name; /* NULL: a rule's own */
	enum kind kinds[SELECTORS_MAX], data_kinds[2];
	uint8_t nkinds, ndata;
	bool is_map, is_vmap;
	bool is_open;    /* packets add to it: what is in it is what was, when it was read */
	bool is_sorted;  /* by ruleset_finish(), if it has one part and no overlap */
	bool is_foreign; /* what it holds is not known: an ipset */
	struct element *elements;
	size_t n, room;
};

enum match_op {
	OP_IN, /* the key is in the set */
	OP_NOT_IN,
	OP_EITHER, /* one of the selectors, alone, is in it */
	OP_NEITHER,
	OP_ANY_BIT, /* it has a bit of the set's one value */
	OP_NO_BIT,
};

/* base & and ^ xor, base being a selector's value or a constant; or what a map gives for a key. */
struct source {
	uint8_t nselectors; /* 0: constant.  Several: the key of the map */
	const struct selector *selectors;
	const struct set *map;
	u128 and, xor;
};

enum nat_kind { NAT_DNAT, NAT_SNAT, NAT_MASQUERADE, NAT_REDIRECT };

enum statement_kind {
	STATEMENT_MATCH,
	STATEMENT_VMAP,
	STATEMENT_VERDICT,
	STATEMENT_NAT,
	STATEMENT_ASSIGN, /* a value to a field */
	STATEMENT_NOTRACK,
	STATEMENT_NOTE,    /* does something that no later rule sees: log, counter */
	STATEMENT_LIMIT,   /* matches now and then: a rate, chance, a quota */
	STATEMENT_UNKNOWN, /* nobody knows whether it lets the packet go on */
};

/* Of STATEMENT_NAT: where to.  Of STATEMENT_ASSIGN: what, to the statement's one selector. */
struct action {
	enum nat_kind nat;
	uint8_t family;             /* that is rewritten, KIND_FAMILY's number; 0: any */
	bool has_address, has_port; /* of nat; else the map in source says so */
	struct range address, port;
	struct source source;
	bool is_lenient; /* iptables: a source that is not there changes nothing */
};

struct statement {
	enum statement_kind kind;
	enum match_op op;
	enum verdict verdict;
	uint8_t nselectors; /* of STATEMENT_MATCH, _VMAP, _ASSIGN */
	const struct selector *selectors;
	const struct set *set;
	const char *text;   /* as it stands in the rule's own language */
	const char *target; /* of jump and goto; of reject: what is sent back, or "" */
	struct chain *chain;
	const struct action *action;
};

struct rule {
	struct chain *chain;
	unsigned number; /* in its chain, from 1 */
	uint64_t handle; /* 0: none is known */
	const char *text, *comment;
	struct statement *statements;
	size_t n, room;
	bool has_counter;
	uint64_t packets, bytes;
	bool is_foreign; /* of an extension of iptables that nft(8) cannot show */
};

#define CHAIN_ORDER_MAX ((1LL << 40) - 1)

struct chain {
	struct table *table;
	const char *name, *type; /* "filter", "nat", "route"; NULL without a hook */
	enum hook hook;
	int priority;
	enum verdict policy;
	const char *device; /* of ingress and egress */
	uint64_t order;     /* in which it was made, as far as that is known; of its table first */
	bool has_counter;   /* of its policy */
	uint64_t packets, bytes;
	struct rule *rules;
	size_t n, room;
	enum owner owner;
	bool is_reached; /* by a hook, over jumps; by ruleset_finish() */
	size_t told;     /* rules that iptables-save told of, too; while reading */
};

struct table {
	enum family family;
	enum backend backend;
	const char *name;
	enum owner owner;
	struct chain **chains; /* by name after ruleset_finish() */
	size_t nchains, chains_room;
	struct set **sets; /* a rule's own ones, too */
	size_t nsets, sets_room;
	struct names chain_names, set_names;
};

struct ruleset {
	struct table **tables;
	size_t n, room;
	struct arena *arena;
	/* Base chains of each hook in the order in which a packet meets them; ruleset_finish(). */
	struct chain **hooks[HOOK_COUNT];
	size_t nhooks[HOOK_COUNT];
	/* Whether packets of IPv4 and of IPv6 are tracked: the kernel does it once a rule asks. */
	bool tracks, tracks6;
};

void ruleset_init(struct ruleset *rs);
void ruleset_done(struct ruleset *rs);

/* Memory of the rule set: zeroed, never freed alone. */
void *ruleset_alloc(struct ruleset *rs, size_t size);
char *ruleset_copy(struct ruleset *rs, const char *text);
char *ruleset_copy_len(struct ruleset *rs, const char *text, size_t len);

struct table *ruleset_table(const struct ruleset *rs, enum family family, const char *name,
			    enum backend backend); /* or NULL; iptables-legacy's are apart */
struct table *ruleset_add_table(struct ruleset *rs, enum family family, const char *name,
				enum backend backend);
struct chain *table_chain(const struct table *table, const char *name); /* or NULL */
struct chain *table_add_chain(struct ruleset *rs, struct table *table, const char *name);
/* Good until the next one is added, as statements are. */
struct rule *chain_add_rule(struct chain *chain);
struct statement *rule_add(struct rule *rule, enum statement_kind kind);
void rule_clear(struct rule *rule);                                 /* of its statements */
struct set *table_set(const struct table *table, const char *name); /* or NULL */
/* name NULL: a rule's own. */
struct set *table_add_set(struct ruleset *rs, struct table *table, const char *name);
struct element *set_add(struct ruleset *rs, struct set *set); /* its keys are there, zeroed */

/* Joins jumps with chains, orders hooks, sorts sets, finds who owns what.  A jump to a chain that
 * is not there is an error: such a file was cut.
 */
int ruleset_finish(struct ruleset *rs, struct error *err) must_check;

/* Who made it: by its comment, the chain that it calls, its own chain. */
enum owner rule_owner(const struct rule *rule);

/* Whether a packet of this family meets chains of that table. */
bool family_has(enum family table, enum family packet);
const char *family_name(enum family family);
const char *hook_name(enum hook hook);
const char *backend_name(enum backend backend);
const char *verdict_name(enum verdict verdict);
/* By nft(8)'s name; -EINVAL. */
int family_of(const char *name, enum family *ret) must_check;
int hook_of(const char *name, enum hook *ret) must_check;

#endif

/* src/why/load_live.c
 *
 * Rules of iptables-nft are read from iptables-nft-save alone: nft(8) would list all of them, too,
 * half of them as riddles, and takes longer than all the rest together.  What it alone could say,
 * the handles, a dump of the chains says.
 */
#include <assert.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "kernel/netlink.h"
#include "kernel/nft_chain.h"
#include "why/inside.h"
#include "why/load.h"
#include "why/nft_dump.h"
#include "why/nft_read.h"
#include "why/ruleset.h"
#include "why/xt_read.h"

#define READ_TRIES 3   /* of a table that somebody replaces meanwhile */
#define LIST_TRIES 100 /* of a list that changes meanwhile: EINTR */

struct said {
	char *text;
	size_t len;
	const char *what;
};

struct program {
	const char *argv[7];
	const char *package;
	enum family family;
	enum backend backend;
	const char *names; /* file of /proc that names tables; NULL: it is run in any case */
};

static const struct program xt_programs[] = {
	{ { "iptables-nft-save", "-c", NULL }, "iptables", FAMILY_IP, BACKEND_XT_NFT, NULL },
	{ { "ip6tables-nft-save", "-c", NULL }, "iptables", FAMILY_IP6, BACKEND_XT_NFT, NULL },
	{ { "iptables-legacy-save", "-c", NULL },
	  "iptables",
	  FAMILY_IP,
	  BACKEND_LEGACY,
	  "/proc/thread-self/net/ip_tables_names" },
	{ { "ip6tables-legacy-save", "-c", NULL },
	  "iptables",
	  FAMILY_IP6,
	  BACKEND_LEGACY,
	  "/proc/thread-self/net/ip6_tables_names" },
};
static const struct program bridge_program = {
	{ "ebtables-nft-save", NULL }, "iptables", FAMILY_BRIDGE, BACKEND_XT_NFT, NULL
};

static void in_child(const struct program *p, int out)
{
	int null = open("/dev/null", O_RDWR); /* NOLINT(android-cloexec-open): the program's */

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)execvp(p->argv[0], (char *const *)p->argv);
	_exit(127);
}

/* A program at work, and the file that it prints to. */
struct job {
	const struct program *program;
	pid_t pid; /* 0: none */
	int out;
};

static int job_start(const struct program *p, struct job *ret, struct error *err)
{
	autoclose int out = memfd_create("rules", MFD_CLOEXEC);
	pid_t pid;

	if (out < 0)
		return error_sys(err, -errno, "run %s", p->argv[0]);
	pid = fork();
	if (pid == 0)
		in_child(p, out);
	if (pid < 0)
		return error_sys(err, -errno, "run %s", p->argv[0]);
	*ret = (struct job) { p, pid, steal_fd(&out) };
	return 0;
}

static int job_wait(struct job *job, struct error *err)
{
	const struct program *p = job->program;
	pid_t pid = job->pid;
	int status;

	assert(p); /* it was started */
	job->pid = 0;
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", p->argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, -ENOENT, "%s is not installed (package %s)", p->argv[0],
				 p->package);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, -EPERM,
				 "%s cannot read the rules: run as root, or name a file of them",
				 p->argv[0]);
	if (lseek(job->out, 0, SEEK_SET) < 0)
		return error_sys(err, -errno, "read what %s says", p->argv[0]);
	return 0;
}

static void job_done(struct job *job)
{
	if (job->pid > 0)
		(void)TEMP_FAILURE_RETRY(waitpid(job->pid, NULL, 0));
	if (job->program)
		(void)close(job->out);
}

static int job_read(struct job *job, struct said *ret, struct error *err)
{
	int r = job_wait(job, err);

	ret->what = job->program->argv[0];
	return r < 0 ? r
		     : file_read_fd(job->out, ret->what, LOAD_SIZE_MAX, &ret->text, &ret->len, err);
}

static int read_json(struct job *job, json_t **ret_doc, struct error *err)
{
	struct said s = { 0 };
	int r = job_read(job, &s, err);

	if (r == 0)
		r = json_load_bytes(s.text, s.len, s.what, ret_doc, err);
	free(s.text);
	return r;
}

static int read_xt(struct ruleset *rs, struct job *job, struct error *err)
{
	const struct program *p = job->program;
	struct said s = { 0 };
	int r;

	assert(p);
	r = job_read(job, &s, err);

	if (r == -ENOENT)
		r = 0; /* its rules are told by nft then, as far as nft understands them */
	else if (r == 0) {
		const struct xt_said said = { .text = s.text,
					      .len = s.len,
					      .what = s.what,
					      .is_known = true,
					      .family = p->family,
					      .backend = p->backend };

		r = xt_read(rs, &said, err);
	}
	free(s.text);
	return r;
}

/* what the kernel says of iptables' chains */

struct seen {
	struct ruleset *rs;
	unsigned order;
	/* of one chain */
	struct chain *chain;
	size_t n;
};

static int family_from(uint8_t nfproto, enum family *ret)
{
	static const struct {
		uint8_t nfproto;
		enum family family;
	} rows[] = {
		{ NFPROTO_IPV4, FAMILY_IP },   { NFPROTO_IPV6, FAMILY_IP6 },
		{ NFPROTO_INET, FAMILY_INET }, { NFPROTO_BRIDGE, FAMILY_BRIDGE },
		{ NFPROTO_ARP, FAMILY_ARP },   { NFPROTO_NETDEV, FAMILY_NETDEV },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].nfproto == nfproto) {
			*ret = rows[i].family;
			return 0;
		}
	return -ENOENT;
}

static void see_rule(void *data, const struct nft_seen_rule *rule)
{
	struct seen *s = data;

	if (s->n < s->chain->n)
		s->chain->rules[s->n].handle = rule->handle;
	s->n++;
}

static void see_chain(void *data, const struct nft_chain *chain)
{
	struct seen *s = data;
	struct table *t = NULL;
	enum family family;

	s->order++;
	if (family_from(chain->family, &family) == 0)
		t = ruleset_table(s->rs, family, chain->table, BACKEND_XT_NFT);
	s->chain = t ? table_chain(t, chain->name) : NULL;
	if (!s->chain)
		return;
	s->chain->order = s->order;
	s->chain->told = 1; /* it is there */
	s->n = 0;
	if (s->chain->n > 0 && nft_chain_rules(chain, see_rule, s) < 0)
		s->n = 0;
	/* Rules came or went meanwhile: no handle is better than a wrong one. */
	for (size_t i = 0; s->n != s->chain->n && i < s->chain->n; i++)
		s->chain->rules[i].handle = 0;
}

/* iptables-save tells of chains that nobody has made, too. */
static void forget_absent(struct table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->nchains; i++)
		if (t->chains[i]->told || t->chains[i]->n > 0)
			t->chains[kept++] = t->chains[i];
	t->nchains = kept;
	names_done(&t->chain_names);
	for (size_t i = 0; i < kept; i++) {
		names_add(&t->chain_names, t->chains[i]->name, t->chains[i]);
		t->chains[i]->told = 0;
	}
}

static int see_chains(struct ruleset *rs, struct error *err)
{
	struct seen seen = { .rs = rs };
	int r = rs->n > 0 ? -EINTR : 0;

	for (unsigned try = 0; try < LIST_TRIES && r == -EINTR; try++) {
		seen.order = 0;
		r = nft_chain_list(see_chain, &seen);
	}
	if (r < 0)
		return error_sys(err, r, "list the kernel's chains");
	for (size_t i = 0; i < rs->n; i++)
		if (rs->tables[i]->backend == BACKEND_XT_NFT)
			forget_absent(rs->tables[i]);
	return 0;
}

/* all other tables */

/* nft(8) reads its arguments as commands, and whoever rules over a namespace gives a table any name
 * he likes, such as "x; flush ruleset".  In JSON a name is a name.
 */
static int ask_nft(enum family family, const char *name, json_t **ret_doc, struct error *err)
{
	cleanup(json_cleanup) json_t *request =
		json_pack("{s:[{s:{s:{s:s,s:s}}}]}", "nftables", "list", "table", "family",
			  family_name(family), "name", name);
	autofree char *text = request ? json_dumps(request, JSON_ENSURE_ASCII) : NULL;
	const struct program p = { .argv = { "nft", "-j", text, NULL }, .package = "nftables" };
	struct job job = { 0 };
	int r;

	if (!text)
		return error_set(err, -EINVAL, "a table has a name that is not UTF-8: '%.60s'",
				 name);
	r = job_start(&p, &job, err);
	if (r == 0)
		r = read_json(&job, ret_doc, err);
	job_done(&job);
	return r;
}

static int read_table(struct ruleset *rs, enum family family, const char *name, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = nft_dump(family, name, &doc);

	if (r < 0)
		r = ask_nft(family, name, &doc, err);
	return r < 0 ? r : nft_read(rs, doc, "nft", err);
}

/* Puts the table where the kernel has it. */
static void move_to(struct ruleset *rs, const struct table *table, size_t place)
{
	for (size_t i = place; i < rs->n; i++)
		if (rs->tables[i] == table) {
			struct table *moved = rs->tables[i];

			memmove(&rs->tables[place + 1], &rs->tables[place],
				(i - place) * sizeof(struct table *));
			rs->tables[place] = moved;
			return;
		}
}

/* The kernel's tables, in its order.  nft(8) would read all rules to list them. */
struct listing {
	struct listed {
		enum family family;
		char name[NAME_ROOM];
	} * items;
	size_t n, room;
};

static int take_table(const struct nlmsghdr *hdr, void *data)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(hdr);
	struct listing *listing = data;
	const struct nlattr *a;
	enum family family;

	if (family_from(nfg->nfgen_family, &family) < 0)
		return MNL_CB_OK;
	mnl_attr_for_each (a, hdr, sizeof(*nfg)) {
		if (mnl_attr_get_type(a) != NFTA_TABLE_NAME)
			continue;
		VEC_GROW(listing->items, listing->n, listing->room);
		listing->items[listing->n].family = family;
		(void)snprintf(listing->items[listing->n++].name, sizeof(listing->items->name),
			       "%s", mnl_attr_get_str(a));
	}
	return MNL_CB_OK;
}

static int ask_tables(struct listing *ret, struct error *err)
{
	const struct nfgenmsg head = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	struct nl nl = { 0 };
	struct nl_req q;
	int r = nl_open_to(&nl, NETLINK_NETFILTER, err);

	if (r < 0)
		return r;
	nl_req_init(&q, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, NLM_F_DUMP, &head,
		    sizeof(head));
	r = nl_query(&nl, &q, take_table, ret);
	nl_close(&nl);
	return r;
}

/* A kernel without nf_tables has none.  What changes while it is listed is listed again. */
static int list_tables(struct listing *ret, struct error *err)
{
	int r = -EINTR;

	for (unsigned try = 0; try < LIST_TRIES && r == -EINTR; try++) {
		ret->n = 0;
		r = ask_tables(ret, err);
	}
	if (r == -EINTR)
		return error_set(err, r, "the rules change faster than they can be listed");
	if (r < 0 && r != -EOPNOTSUPP && r != -EINVAL)
		return error_set(err, r,
				 "the kernel does not show its rules: run as root, or name a "
				 "file of them");
	return 0;
}

/* Rules change while they are read: a table that was listed may be gone when it is asked for. */
static bool is_gone(const struct listed *t)
{
	struct listing listing = { 0 };
	bool gone = list_tables(&listing, NULL) == 0;

	for (size_t i = 0; gone && i < listing.n; i++)
		gone = listing.items[i].family != t->family ||
		       strcmp(listing.items[i].name, t->name) != 0;
	free(listing.items);
	return gone;
}

static bool is_read(const struct ruleset *rs, const struct listed *t)
{
	return ruleset_table(rs, t->family, t->name, BACKEND_NFT) != NULL;
}

static int read_tables(struct ruleset *rs, const struct listing *listing, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < listing->n; i++) {
		const struct listed *t = &listing->items[i];

		for (unsigned try = 0; try < READ_TRIES && !is_read(rs, t); try++)
			r = read_table(rs, t->family, t->name, err);
		if (r < 0 && is_gone(t))
			r = 0;
		if (r == 0)
			move_to(rs, ruleset_table(rs, t->family, t->name, BACKEND_NFT), i);
	}
	return r;
}

static bool has_bridge(const struct ruleset *rs)
{
	return ruleset_table(rs, FAMILY_BRIDGE, "filter", BACKEND_NFT) ||
	       ruleset_table(rs, FAMILY_BRIDGE, "nat", BACKEND_NFT) ||
	       ruleset_table(rs, FAMILY_BRIDGE, "broute", BACKEND_NFT);
}

static int read_bridge(struct ruleset *rs, struct error *err)
{
	struct job job = { 0 };
	int r;

	if (!has_bridge(rs))
		return 0;
	r = job_start(&bridge_program, &job, err);
	if (r == 0)
		r = read_xt(rs, &job, err);
	job_done(&job);
	return r;
}

/* Looking is not free: without tables, iptables-legacy-save would have modules loaded. */
static bool is_wanted(const struct program *p, const struct listing *tables)
{
	static const char *const names[] = { "filter", "nat", "mangle", "raw", "security" };
	autofree char *loaded = NULL;

	if (p->names)
		return file_read_at(AT_FDCWD, p->names, 4096, &loaded, NULL, NULL) == 0 && *loaded;
	for (size_t i = 0; i < tables->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (tables->items[i].family == p->family &&
			    strcmp(tables->items[i].name, names[k]) == 0)
				return true;
	return false;
}

static int load_here(void *data, struct error *err)
{
	struct job jobs[ARRAY_SIZE(xt_programs)] = { 0 };
	struct listing tables = { 0 };
	struct ruleset *rs = data;
	int r = list_tables(&tables, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(xt_programs); i++)
		if (is_wanted(&xt_programs[i], &tables))
			r = job_start(&xt_programs[i], &jobs[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(xt_programs); i++)
		if (jobs[i].program)
			r = read_xt(rs, &jobs[i], err);
	if (r == 0)
		r = see_chains(rs, err);
	if (r == 0)
		r = read_tables(rs, &tables, err);
	if (r == 0)
		r = read_bridge(rs, err);
	for (size_t i = 0; i < ARRAY_SIZE(xt_programs); i++)
		job_done(&jobs[i]);
	free(tables.items);
	return r;
}

static void warn_of_both(const struct ruleset *rs, char ret[LOAD_WARNING_LEN])
{
	bool legacy = false, modern = false;

	for (size_t i = 0; i < rs->n; i++) {
		legacy |= rs->tables[i]->backend == BACKEND_LEGACY;
		modern |= rs->tables[i]->backend == BACKEND_XT_NFT;
	}
	ret[0] = '\0';
	if (legacy && modern)
		(void)snprintf(ret, LOAD_WARNING_LEN,
			       "both back ends of iptables have rules: a packet meets those of "
			       "iptables-nft and those of iptables-legacy, and each program shows "
			       "its own only");
}

int load_live(struct ruleset *ret, int netns_fd, char ret_warning[LOAD_WARNING_LEN],
	      struct error *err)
{
	struct ruleset rs;
	int r;

	ruleset_init(&rs);
	r = inside(netns_fd, load_here, &rs, err);
	if (r == 0)
		r = ruleset_finish(&rs, err);
	if (r < 0) {
		ruleset_done(&rs);
		return r;
	}
	warn_of_both(&rs, ret_warning);
	*ret = rs;
	return 0;
}

/* src/lab/checks.c */
#include "lab/checks.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/number.h"
#include "lab/checking.h"
#include "lab/lookup.h"
#include "lab/path.h"
#include "lab/tables.h"

const struct topology *checking_lab(const struct checking *c)
{
	return c->lab->topology;
}

const char *checking_name(const struct checking *c, size_t node)
{
	return checking_lab(c)->nodes[node].name;
}

bool checking_failed(struct checking *c, char *reason)
{
	free(c->reason);
	c->reason = reason;
	return false;
}

/* arguments; read_check.c has judged what the file alone tells */

const struct yaml *checking_key(const struct checking *c, const char *name)
{
	return yaml_get(c->check->map, name);
}

const char *checking_text(struct checking *c, const char *name)
{
	const struct yaml *y = checking_key(c, name);

	return y ? yaml_text(&c->rd, y, name) : NULL;
}

bool checking_node(struct checking *c, const struct yaml *y, size_t *ret)
{
	const char *text = yaml_text(&c->rd, y, "a node");
	struct error err = { 0 };

	if (!text || topology_need_node(checking_lab(c), text, ret, &err) == 0)
		return text != NULL;
	yaml_fail(&c->rd, y, "%s", err.text);
	return false;
}

bool checking_end(struct checking *c, const struct yaml *y, struct link_end *ret)
{
	const char *text = yaml_text(&c->rd, y, "an interface");
	struct error err = { 0 };

	if (!text || topology_find_end(checking_lab(c), text, ret, &err) == 0)
		return text != NULL;
	yaml_fail(&c->rd, y, "%s", err.text);
	return false;
}

bool checking_address(struct checking *c, const struct yaml *at, size_t from, size_t node,
		      struct ip *ret)
{
	struct ip_net net;

	if (!node_address_for(&c->d.facts, from, node, AF_INET, &net)) {
		yaml_fail(&c->rd, at, "%s has no IP address", checking_name(c, node));
		return false;
	}
	*ret = net.ip;
	return true;
}

/* Exactly two nodes: from and to. */
static bool find_pair(struct checking *c, struct question *q)
{
	const struct yaml *list = c->check->arguments;

	*q = (struct question) { .from = NO_INDEX, .to = NO_INDEX };
	if (!checking_node(c, yaml_item(list, 0), &q->from))
		return false;
	if (ip_parse(yaml_item(list, 1)->text ? yaml_item(list, 1)->text : "", &q->target) == 0)
		return true;
	return checking_node(c, yaml_item(list, 1), &q->to) &&
	       checking_address(c, yaml_item(list, 1), q->from, q->to, &q->target);
}

bool checking_diagnose(struct checking *c, const struct question *q, struct verdict *v)
{
	struct error err = { 0 };

	/* What was observed before may have changed. */
	diagnosis_done(&c->d);
	diagnosis_init(&c->d, c->lab);
	if (diagnose(&c->d, q, v, &err) == 0)
		return true;
	(void)checking_failed(c, xstrdup(err.text));
	return false;
}

/* path, arp, nat */

static bool follow(struct checking *c, const struct question *q, struct path *ret)
{
	struct verdict v = { .cause = CAUSE_NONE };
	struct error err = { 0 };

	if (path_observe(c->lab, q->from, &q->target, NULL, true, ret, &err) < 0)
		return checking_failed(c, xstrdup(err.text));
	if (ret->ping.answered)
		return true;
	path_done(ret);
	if (checking_diagnose(c, q, &v))
		(void)checking_failed(c, xasprintf("%s [%s]", v.text, cause_name(v.cause)));
	return false;
}

static bool check_path(struct checking *c)
{
	const struct yaml *list = c->check->arguments;
	size_t n = yaml_count(&c->rd, list, "path");
	struct question q = { .from = NO_INDEX };
	struct strv names = { 0 };
	struct buf text = BUF_INIT(4096);
	struct verdict v = { .cause = CAUSE_NONE };
	struct path path;
	bool bridges = false, ok;

	for (size_t i = 0; i < n && c->rd.r == 0; i++) {
		size_t node = NO_INDEX;

		(void)checking_node(c, yaml_item(list, i), &node);
		bridges = bridges || (node != NO_INDEX && i > 0 && i + 1 < n &&
				      node_is_bridge(&checking_lab(c)->nodes[node]) &&
				      !checking_lab(c)->nodes[node].n_routes);
	}
	if (c->rd.r < 0 || !checking_node(c, yaml_item(list, 0), &q.from) ||
	    !checking_node(c, yaml_item(list, n - 1), &q.to) ||
	    !checking_address(c, yaml_item(list, n - 1), q.from, q.to, &q.target) ||
	    !follow(c, &q, &path))
		return false;
	path_nodes(&path, bridges, &names);
	ok = names.n == n;
	for (size_t i = 0; i < names.n; i++) {
		ok = ok && strcmp(names.items[i], yaml_item(list, i)->text) == 0;
		buf_addf(&text, "%s%s", i ? ", " : "", names.items[i]);
	}
	if (!ok && find_mask_mismatch(&c->d, &q, &v))
		(void)checking_failed(c, xasprintf("it goes %s: %s [%s]", buf_text(&text), v.text,
						   cause_name(v.cause)));
	else if (!ok)
		(void)checking_failed(c, xasprintf("it goes %s", buf_text(&text)));
	buf_done(&text);
	strv_done(&names);
	path_done(&path);
	return ok;
}

static bool check_arp(struct checking *c)
{
	const struct yaml *by = checking_key(c, "answered-by");
	struct question q;
	struct link_end wanted = { NO_INDEX, NO_INDEX }, is = { NO_INDEX, NO_INDEX };
	struct path path;
	bool by_interface;
	char name[LINK_END_LEN];

	if (!find_pair(c, &q) || !by || !by->text)
		return false;
	by_interface = strchr(by->text, ':');
	if (by_interface ? !checking_end(c, by, &wanted) : !checking_node(c, by, &wanted.node))
		return false;
	if (!follow(c, &q, &path))
		return false;
	for (size_t i = 0; i < path.sights.n; i++) {
		const struct sight *s = &path.sights.items[i];
		struct frame f;

		frame_decode(sight_bytes(&path.sights, s), s->len, &f);
		if (s->node != q.from || s->out || !ip_equal(&f.ip_src, &q.target))
			continue;
		if (f.what == FRAME_ARP && f.arp_op == 2)
			(void)topology_find_mac(checking_lab(c), f.arp_mac, &is);
	}
	path_done(&path);
	if (is.node == NO_INDEX)
		return checking_failed(c, xstrdup("nobody in the lab answered"));
	if (is.node == wanted.node && (!by_interface || is.interface == wanted.interface))
		return true;
	link_end_format(checking_lab(c), &is, name);
	return checking_failed(c, xasprintf("it was answered by %s", name));
}

static bool check_nat(struct checking *c)
{
	const char *source = checking_text(c, "source");
	struct question q;
	struct ip wanted, seen = { .family = 0 };
	struct path path;
	char text[IP_TEXT_LEN];

	if (!source || ip_parse(source, &wanted) < 0 || !find_pair(c, &q) || !follow(c, &q, &path))
		return false;
	for (size_t i = 0; i < path.request.n; i++) {
		const struct visit *v = &path.request.visits[i];
		struct frame f;

		if (v->node != q.to || !v->in)
			continue;
		frame_decode_inner(sight_bytes(&path.sights, v->in), v->in->len, &f);
		seen = f.ip_src;
	}
	path_done(&path);
	ip_format(&seen, text);
	return ip_equal(&seen, &wanted) ||
	       checking_failed(c,
			       xasprintf("%s sees it come from %s", checking_name(c, q.to), text));
}

/* mtu */

static bool passes(struct checking *c, const struct question *q, unsigned size)
{
	const struct ping_how how = { .size = size, .dont_fragment = true };
	struct ping p = { .from = q->from, .to = q->target };

	prober_run(c->prober, &p, 1, &how);
	return p.answered;
}

static bool check_mtu(struct checking *c)
{
	uint64_t is =
		yaml_number(&c->rd, checking_key(c, "is"), "is", CHECK_MTU_MIN, CHECK_MTU_MAX, 0);
	uint64_t least = yaml_number(&c->rd, checking_key(c, "at-least"), "at-least", CHECK_MTU_MIN,
				     CHECK_MTU_MAX, is);
	struct verdict v = { .cause = CAUSE_NONE };
	struct question q;
	unsigned low, high = CHECK_MTU_MAX;

	if (!find_pair(c, &q))
		return false;
	if (passes(c, &q, (unsigned)least) && (!is || !passes(c, &q, (unsigned)is + 1)))
		return true;
	for (low = 0; low + 1 < high;) {
		unsigned size = (low + high) / 2;

		*(passes(c, &q, size) ? &low : &high) = size;
	}
	q.size = (unsigned)least;
	if (low < least && checking_diagnose(c, &q, &v))
		return checking_failed(c, low ? xasprintf("%u bytes pass: %s [%s]", low, v.text,
							  cause_name(v.cause))
					      : xasprintf("%s [%s]", v.text, cause_name(v.cause)));
	return checking_failed(c, xasprintf("%u bytes pass", low));
}

/* fdb */

static bool knows(struct checking *c, size_t node, const struct fdb_entry *entries, size_t n)
{
	const struct yaml *map = checking_key(c, "knows");

	for (size_t i = 0; map && i < map->n; i++) {
		struct link_end end;
		const char *port = yaml_text(&c->rd, map->items[i], "a port");
		const struct fdb_entry *found = NULL;

		if (!checking_end(c, map->keys[i], &end) || !port)
			return false;
		for (size_t k = 0; k < n; k++)
			if (!entries[k].own &&
			    memcmp(entries[k].mac, link_end_interface(checking_lab(c), &end)->mac,
				   6) == 0)
				found = &entries[k];
		if (!found)
			return checking_failed(c, xasprintf("%s does not know %s",
							    checking_name(c, node),
							    map->keys[i]->text));
		if (strcmp(checking_lab(c)->nodes[node].interfaces[found->interface].name, port) !=
		    0)
			return checking_failed(c,
					       xasprintf("%s has %s behind %s",
							 checking_name(c, node), map->keys[i]->text,
							 checking_lab(c)
								 ->nodes[node]
								 .interfaces[found->interface]
								 .name));
	}
	return true;
}

static bool check_fdb(struct checking *c)
{
	const struct yaml *learned = checking_key(c, "learned");
	autofree struct fdb_entry *entries = NULL;
	size_t node, n = 0, count = 0;
	struct error err = { 0 };

	if (!checking_node(c, c->check->arguments, &node))
		return false;
	if (fdb_read(c->lab, node, &entries, &n, &err) < 0)
		return checking_failed(c, xstrdup(err.text));
	for (size_t i = 0; i < n; i++)
		count += !entries[i].own;
	if (learned && count != yaml_number(&c->rd, learned, "learned", 0, UINT32_MAX, 0))
		return checking_failed(c, xasprintf("%s has learned %zu addresses",
						    checking_name(c, node), count));
	return knows(c, node, entries, n);
}

/* resolve */

static size_t wanted_addresses(struct checking *c, const char *name, struct ip *ret)
{
	const struct yaml *is = checking_key(c, "is");
	size_t n = 0;

	if (!is)
		return lookup_expected(checking_lab(c), name, ret);
	for (size_t i = 0; i < yaml_count(&c->rd, is, "is") && n < LOOKUP_ADDRESSES_MAX; i++) {
		const char *text = yaml_text(&c->rd, yaml_item(is, i), "is");

		if (text && ip_parse(text, &ret[n]) == 0)
			n++;
	}
	return n;
}

/* "resolve: [h1, www.example.net]": what its name server tells h1. */
static bool check_resolve(struct checking *c)
{
	const struct yaml *list = c->check->arguments;
	struct ip wanted[LOOKUP_ADDRESSES_MAX];
	struct verdict v = { .cause = CAUSE_NONE };
	const char *because = checking_text(c, "because");
	struct lookup l = { .node = NO_INDEX };
	size_t n;
	bool ok;

	l.name = yaml_text(&c->rd, yaml_item(list, 1), "a name");
	if (!l.name || !checking_node(c, yaml_item(list, 0), &l.node))
		return false;
	n = wanted_addresses(c, l.name, wanted);
	if (c->rd.r == 0 && !checking_lab(c)->nodes[l.node].n_resolvers)
		yaml_fail(&c->rd, yaml_item(list, 0),
			  "%s asks no name server; 'resolver: ADDRESS' gives it one",
			  checking_name(c, l.node));
	if (c->rd.r < 0)
		return false;
	lookup_run(c->lab, &l);
	diagnosis_done(&c->d);
	diagnosis_init(&c->d, c->lab);
	ok = lookup_judge(&c->d, &l, n ? wanted : NULL, n, &v);
	if (ok)
		return !because || checking_failed(c, xasprintf("%s resolves %s",
								checking_name(c, l.node), l.name));
	if (because && strcmp(cause_name(v.cause), because) == 0)
		return true;
	return checking_failed(c, xasprintf("%s resolves %s: %s [%s]", checking_name(c, l.node),
					    l.name, v.text, cause_name(v.cause)));
}

/* all */

static const struct {
	const char *kind;
	bool (*run)(struct checking *c);
} kinds[] = {
	{ "reach", check_reach },
	{ "no-reach", check_no_reach },
	{ "same-domain", check_same_domain },
	{ "domains", check_domains },
	{ "path", check_path },
	{ "arp", check_arp },
	{ "mtu", check_mtu },
	{ "nat", check_nat },
	{ "fdb", check_fdb },
	{ "resolve", check_resolve },
};

static void put_value(const struct yaml *y, struct buf *to)
{
	for (size_t i = 0; y->kind != YAML_SCALAR && i < y->n; i++) {
		const struct yaml *item = y->items[i];

		buf_addf(to, "%s%s%s", i ? ", " : "", y->keys ? y->keys[i]->text : "",
			 y->keys ? " " : "");
		for (size_t k = 0; item->kind == YAML_LIST && k < item->n; k++)
			buf_addf(to, "%s%s", k ? " " : "",
				 item->items[k]->text ? item->items[k]->text : "");
		if (item->kind == YAML_SCALAR)
			buf_add_str(to, item->text);
	}
	if (y->kind == YAML_SCALAR)
		buf_add_str(to, y->text);
}

static char *title_of(const struct lab_check *check)
{
	struct buf text = BUF_INIT(500);

	for (size_t i = 0; i < check->map->n; i++) {
		buf_addf(&text, "%s%s ", i ? ", " : "", check->map->keys[i]->text);
		put_value(check->map->items[i], &text);
	}
	return buf_steal(&text);
}

/* What a file says is shown on a terminal, a line for each check. */
static void make_plain(char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static bool run_one(struct checking *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].kind, c->check->kind) == 0)
			return kinds[i].run(c);
	return false;
}

int checks_run(struct lab *lab, struct check_results *ret, struct error *err)
{
	const struct topology *t = lab->topology;
	struct checking c = { .lab = lab, .rd = { .what = t->what, .err = err } };
	struct check_results results = { .items =
						 xcalloc(t->n_checks + 1, sizeof(*results.items)) };
	int r = bridges_wait(lab, err);

	if (r == 0)
		r = prober_open(lab, NULL, &c.prober, err);
	diagnosis_init(&c.d, lab);
	/* Before anything that a loop would carry round and round. */
	if (r == 0 && topology_may_loop(t))
		r = domains_observe(lab, &c.now, err);
	c.has_domains = r == 0 && topology_may_loop(t);
	for (size_t i = 0; r == 0 && i < t->n_checks; i++) {
		struct check_result *result = &results.items[results.n++];

		c.check = &t->checks[i];
		c.reason = NULL;
		result->title = title_of(c.check);
		result->ok = run_one(&c);
		result->reason = result->ok ? NULL : c.reason;
		if (result->ok)
			free(c.reason);
		make_plain(result->title);
		make_plain(result->reason);
		results.failed += !result->ok;
		r = c.rd.r;
	}
	if (c.has_domains)
		domains_done(&c.now);
	diagnosis_done(&c.d);
	prober_close(c.prober);
	if (r < 0) {
		check_results_done(&results);
		return r;
	}
	*ret = results;
	return 0;
}

void check_results_done(struct check_results *results)
{
	for (size_t i = 0; i < results->n; i++) {
		free(results->items[i].title);
		free(results->items[i].reason);
	}
	free(results->items);
	*results = (struct check_results) { .n = 0 };
}

void check_results_print(const struct check_results *results, FILE *to)
{
	(void)fprintf(to, "1..%zu\n", results->n);
	for (size_t i = 0; i < results->n; i++) {
		const struct check_result *c = &results->items[i];

		(void)fprintf(to, "%sok %zu - %s\n", c->ok ? "" : "not ", i + 1, c->title);
		if (c->reason)
			(void)fprintf(to, "# %s\n", c->reason);
	}
}

json_t *check_results_json(const struct check_results *results)
{
	json_t *list = json_array();

	for (size_t i = 0; i < results->n; i++) {
		const struct check_result *c = &results->items[i];
		json_t *o = json_pack("{s:s, s:b}", "check", c->title, "ok", c->ok);

		if (c->reason)
			(void)json_object_set_new(o, "reason", json_string(c->reason));
		(void)json_array_append_new(list, o);
	}
	return json_pack("{s:i, s:i, s:o}", "checks", (int)results->n, "failed",
			 (int)results->failed, "results", list);
}

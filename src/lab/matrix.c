/* src/lab/matrix.c */
#include "lab/matrix.h"

#include <string.h>

#include "base/alloc.h"
#include "lab/duplicate.h"
#include "lab/lookup.h"
#include "lab/observe.h"
#include "lab/raise.h"

#define LARGE_MIN   48U /* hosts: the frames of ARP alone are their number to the third power */
#define COLUMNS_MAX 40U /* of the picture; a larger lab has its failures listed alone */

static bool takes_part(const struct topology *t, size_t node, unsigned flags)
{
	enum node_kind kind = t->nodes[node].kind;

	return kind == NODE_HOST || kind == NODE_CONTAINER || flags & MATRIX_ALL;
}

static bool address_of(struct facts *f, size_t node, unsigned flags, struct ip_net *ret)
{
	uint8_t first = flags & MATRIX_IPV6 ? AF_INET6 : AF_INET;

	return node_address(f, node, first, ret) ||
	       node_address(f, node, first == AF_INET ? AF_INET6 : AF_INET, ret);
}

/* Where a node is asked for: at its own first address, unless the asker has none of that family. */
static struct ip target_of(struct facts *f, unsigned flags, const struct ip_net *addresses,
			   size_t from, size_t to)
{
	struct ip_net net = addresses[to];

	if (addresses[from].ip.family != net.ip.family)
		(void)node_address_for(f, from, to, flags & MATRIX_IPV6 ? AF_INET6 : AF_INET, &net);
	return net.ip;
}

/* The node that a ping is for. */
static size_t matrix_target(const struct matrix *m, size_t ping)
{
	size_t others = MAX(m->n, (size_t)2) - 1, column = ping % others, row = ping / others;

	return m->nodes[column + (column >= row)];
}

/* By node: whether its address is somebody else's, too. */
static struct verdict *find_duplicates(struct diagnosis *d, const struct matrix *m)
{
	struct verdict *found = xcalloc(m->lab->topology->n_nodes, sizeof(*found));

	for (size_t i = 0; i < m->n_pings; i++) {
		size_t to = matrix_target(m, i);

		if (i < m->n) /* the first two rows have them all */
			(void)find_duplicate(&d->facts, &m->pings[i].to, &found[to]);
	}
	return found;
}

static int explain_failures(struct diagnosis *d, struct matrix *m, struct error *err)
{
	autofree struct verdict *duplicates = find_duplicates(d, m);

	for (size_t i = 0; i < m->n_pings; i++) {
		const struct ping *p = &m->pings[i];
		const struct question q = { .from = p->from,
					    .to = matrix_target(m, i),
					    .target = p->to };
		int r;

		if (p->answered)
			m->verdicts[i] = duplicates[q.to];
		if (p->answered && m->verdicts[i].cause == CAUSE_NONE)
			continue;
		m->n_failed++;
		r = p->answered ? 0 : diagnose(d, &q, &m->verdicts[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* large labs */

struct neighbours {
	struct diagnosis *d;
	struct matrix *m;
	struct ip_net *addresses; /* by node */
	size_t *points;           /* by node: where it has its address; NO_INDEX */
	size_t *first;            /* by broadcast domain: the node that asks all others in it */
	bool *answers;            /* by node: it was asked, and answered */
	struct acquainted *known; /* by ping */
};

static size_t point_of(const struct neighbours *n, size_t node)
{
	const struct facts_node *now;
	const struct fact_address *a;

	if (facts_node(&n->d->facts, node, &now, NULL) < 0)
		return NO_INDEX;
	a = fact_address(now, &n->addresses[node].ip);
	return a && a->index >= interface_index(0)
		       ? domains_find(&n->d->domains, node, (size_t)(a->index - interface_index(0)))
		       : NO_INDEX;
}

static bool are_neighbours(const struct neighbours *n, size_t a, size_t b)
{
	size_t x = n->points[a], y = n->points[b];

	return x != NO_INDEX && y != NO_INDEX && domains_hears(&n->d->domains, x, y) &&
	       domains_hears(&n->d->domains, y, x) &&
	       ip_net_has(&n->addresses[a], &n->addresses[b].ip) &&
	       ip_net_has(&n->addresses[b], &n->addresses[a].ip);
}

static void ask_as_first(struct neighbours *n, struct prober *prober)
{
	for (size_t i = 0; i < n->m->n_pings; i++) {
		struct ping *p = &n->m->pings[i];
		size_t to = matrix_target(n->m, i), x = n->points[p->from];

		if (x == NO_INDEX || n->first[n->d->domains.points[x].broadcast] != p->from ||
		    !are_neighbours(n, p->from, to))
			continue;
		prober_run(prober, p, 1, NULL);
		n->answers[to] = p->answered;
		n->answers[p->from] = n->answers[p->from] || p->answered;
	}
}

static void introduce(struct neighbours *n, size_t ping)
{
	struct acquainted *a = &n->known[ping];
	size_t nodes[2] = { n->m->pings[ping].from, matrix_target(n->m, ping) };

	if (!n->answers[nodes[0]] || !n->answers[nodes[1]] || n->m->pings[ping].answered ||
	    !are_neighbours(n, nodes[0], nodes[1]))
		return;
	for (size_t i = 0; i < 2; i++) {
		const struct link_end *at = &n->d->domains.points[n->points[nodes[i]]].at;
		const struct facts_node *now;
		const struct fact_link *l;

		if (facts_node(&n->d->facts, nodes[i], &now, NULL) < 0)
			return;
		l = fact_link(now, interface_index(at->interface));
		a->node[i] = nodes[i];
		a->index[i] = l->index;
		a->ip[i] = n->addresses[nodes[i]].ip;
		memcpy(a->mac[i], l->mac, sizeof(a->mac[i]));
	}
	n->m->pings[ping].known = a;
}

/* In each broadcast domain one host asks all others by ARP; who answers it is introduced to the
 * rest.  ret_known lives as long as the pings.
 */
static int introduce_all(struct diagnosis *d, struct matrix *m, struct ip_net *addresses,
			 struct prober *prober, struct error *err)
{
	size_t n_nodes = m->lab->topology->n_nodes;
	struct neighbours n = { .d = d, .m = m, .addresses = addresses };
	int r = diagnosis_observe(d, err);

	if (r < 0 || d->domains.storm)
		return r;
	m->known = n.known = xcalloc(m->n_pings, sizeof(*n.known));
	n.points = xcalloc(n_nodes, sizeof(*n.points));
	n.answers = xcalloc(n_nodes, sizeof(*n.answers));
	n.first = xcalloc(d->domains.n_broadcast + 1, sizeof(*n.first));
	for (size_t i = 0; i <= d->domains.n_broadcast; i++)
		n.first[i] = NO_INDEX;
	for (size_t i = 0; i < m->n; i++) {
		size_t node = m->nodes[i], point = n.points[node] = point_of(&n, node);
		size_t *first =
			point == NO_INDEX ? NULL : &n.first[d->domains.points[point].broadcast];

		if (first && *first == NO_INDEX)
			*first = node;
	}
	ask_as_first(&n, prober);
	for (size_t i = 0; i < m->n; i++) /* the kernel does not keep more than 1024 */
		prober_forget(prober, m->nodes[i], addresses[m->nodes[i]].ip.family);
	for (size_t i = 0; i < m->n_pings; i++)
		introduce(&n, i);
	free(n.points);
	free(n.answers);
	free(n.first);
	return 0;
}

/* names */

/* How many of the others each asks for: all of a few, else its neighbour in the list. */
static size_t names_each(const struct matrix *m)
{
	return m->n <= COLUMNS_MAX ? m->n - 1 : 1;
}

static void resolve_one(struct diagnosis *d, const struct matrix *m, size_t row,
			struct matrix_name *ret)
{
	const struct topology *t = m->lab->topology;

	ret->from = m->nodes[row];
	for (size_t k = 1; k <= names_each(m) && ret->verdict.cause == CAUSE_NONE; k++) {
		struct ip wanted[LOOKUP_ADDRESSES_MAX];
		struct lookup l = { .node = ret->from };
		size_t n;

		ret->about = m->nodes[(row + k) % m->n];
		l.name = t->nodes[ret->about].name;
		lookup_run(m->lab, &l);
		n = lookup_expected(t, l.name, wanted);
		(void)lookup_judge(d, &l, wanted, n, &ret->verdict);
	}
}

static void resolve_all(struct diagnosis *d, struct matrix *m)
{
	m->names = xcalloc(m->n + 1, sizeof(*m->names));
	for (size_t i = 0; i < m->n && m->n > 1; i++) {
		struct matrix_name *name = &m->names[m->n_names];

		if (!m->lab->topology->nodes[m->nodes[i]].n_resolvers)
			continue;
		resolve_one(d, m, i, name);
		m->n_names++;
		m->n_unresolved += name->verdict.cause != CAUSE_NONE;
	}
}

int matrix_observe(struct lab *lab, unsigned flags, struct matrix *ret, struct error *err)
{
	cleanup(prober_cleanup) struct prober *prober = NULL;
	const struct topology *t = lab->topology;
	autofree struct ip_net *addresses = xcalloc(t->n_nodes, sizeof(*addresses));
	struct matrix m = { .lab = lab, .nodes = xcalloc(t->n_nodes, sizeof(*m.nodes)) };
	struct diagnosis d;
	int r;

	diagnosis_init(&d, lab);
	for (size_t i = 0; i < t->n_nodes; i++)
		if (takes_part(t, i, flags) && address_of(&d.facts, i, flags, &addresses[i]))
			m.nodes[m.n++] = i;
	m.pings = xcalloc(m.n * m.n + 1, sizeof(*m.pings));
	m.verdicts = xcalloc(m.n * m.n + 1, sizeof(*m.verdicts));
	for (size_t i = 0; i < m.n; i++)
		for (size_t k = 0; k < m.n; k++)
			if (i != k)
				m.pings[m.n_pings++] =
					(struct ping) { .from = m.nodes[i],
							.to = target_of(&d.facts, flags, addresses,
									m.nodes[i], m.nodes[k]) };
	r = bridges_wait(lab, err);
	if (r == 0)
		r = prober_open(lab, NULL, &prober, err);
	if (r == 0 && topology_may_loop(t))
		r = diagnosis_observe(&d, err);
	if (r == 0 && m.n > LARGE_MIN)
		r = introduce_all(&d, &m, addresses, prober, err);
	if (r == 0) {
		prober_run(prober, m.pings, m.n_pings, NULL);
		for (size_t i = 0; i < m.n_pings; i++)
			m.pings[i].known = NULL;
		if (m.n > LARGE_MIN) /* not for want of room in a table */
			prober_run(prober, m.pings, m.n_pings, NULL);
		r = explain_failures(&d, &m, err);
		resolve_all(&d, &m);
	}
	diagnosis_done(&d);
	if (r < 0) {
		matrix_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

void matrix_done(struct matrix *m)
{
	free(m->nodes);
	free(m->pings);
	free(m->verdicts);
	free(m->known);
	free(m->names);
}

static const struct verdict *verdict_at(const struct matrix *m, size_t row, size_t column)
{
	return &m->verdicts[row * (m->n - 1) + column - (column > row)];
}

static void print_picture(const struct matrix *m, FILE *to)
{
	const struct node *nodes = m->lab->topology->nodes;
	int width = 4;

	for (size_t i = 0; i < m->n; i++)
		width = MAX(width, (int)strlen(nodes[m->nodes[i]].name));
	(void)fprintf(to, "%*s", width, "");
	for (size_t i = 0; i < m->n; i++)
		(void)fprintf(to, " %*s", width, nodes[m->nodes[i]].name);
	(void)fputc('\n', to);
	for (size_t i = 0; i < m->n; i++) {
		(void)fprintf(to, "%-*s", width, nodes[m->nodes[i]].name);
		for (size_t k = 0; k < m->n; k++)
			(void)fprintf(to, " %*s", width,
				      i == k                                     ? "."
				      : verdict_at(m, i, k)->cause == CAUSE_NONE ? "ok"
										 : "-");
		(void)fputc('\n', to);
	}
}

void matrix_print(const struct matrix *m, FILE *to)
{
	const struct node *nodes = m->lab->topology->nodes;

	if (m->n && m->n <= COLUMNS_MAX)
		print_picture(m, to);
	(void)fprintf(to, "%zu of %zu pairs reach each other\n", m->n_pings - m->n_failed,
		      m->n_pings);
	for (size_t i = 0; i < m->n_pings; i++) {
		const struct ping *p = &m->pings[i];

		if (m->verdicts[i].cause != CAUSE_NONE)
			(void)fprintf(to, "%s -> %s: %s\n", nodes[p->from].name,
				      nodes[matrix_target(m, i)].name, m->verdicts[i].text);
	}
	if (m->n_names)
		(void)fprintf(to, "%zu of %zu nodes resolve names\n", m->n_names - m->n_unresolved,
			      m->n_names);
	for (size_t i = 0; i < m->n_names; i++)
		if (m->names[i].verdict.cause != CAUSE_NONE)
			(void)fprintf(to, "%s resolves %s: %s\n", nodes[m->names[i].from].name,
				      nodes[m->names[i].about].name, m->names[i].verdict.text);
}

static void put_verdict(const struct matrix *m, const struct verdict *v, json_t *to)
{
	(void)json_object_set_new(to, "cause", json_string(cause_name(v->cause)));
	(void)json_object_set_new(to, "text", json_string(v->text));
	(void)json_object_set_new(to, "onReturn", json_boolean(v->on_return));
	if (v->node != NO_INDEX)
		(void)json_object_set_new(to, "at",
					  json_string(m->lab->topology->nodes[v->node].name));
}

static json_t *names_json(const struct matrix *m)
{
	const struct node *nodes = m->lab->topology->nodes;
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_names; i++) {
		const struct matrix_name *n = &m->names[i];
		bool ok = n->verdict.cause == CAUSE_NONE;
		json_t *o = json_pack("{s:s, s:s, s:b}", "from", nodes[n->from].name, "name",
				      nodes[n->about].name, "resolved", ok);

		if (!ok)
			put_verdict(m, &n->verdict, o);
		(void)json_array_append_new(list, o);
	}
	return list;
}

json_t *matrix_json(const struct matrix *m)
{
	const struct node *nodes = m->lab->topology->nodes;
	json_t *pairs = json_array();

	for (size_t i = 0; i < m->n_pings; i++) {
		const struct ping *p = &m->pings[i];
		json_t *pair = json_pack("{s:s, s:s, s:b}", "from", nodes[p->from].name, "to",
					 nodes[matrix_target(m, i)].name, "reached", p->answered);

		if (m->verdicts[i].cause == CAUSE_NONE) {
			(void)json_object_set_new(pair, "ttl", json_integer(p->ttl));
		} else {
			put_verdict(m, &m->verdicts[i], pair);
		}
		(void)json_array_append_new(pairs, pair);
	}
	return json_pack("{s:i, s:i, s:o, s:o}", "pairs", (int)m->n_pings, "failed",
			 (int)m->n_failed, "matrix", pairs, "names", names_json(m));
}

/* src/lab/matrix.c */
#include "lab/matrix.h"

#include <string.h>

#include "base/alloc.h"

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

static int explain_failures(struct diagnosis *d, struct matrix *m, struct error *err)
{
	for (size_t i = 0; i < m->n_pings; i++) {
		const struct ping *p = &m->pings[i];
		size_t column = i % (m->n - 1), row = i / (m->n - 1);
		struct question q = { .from = p->from, .target = p->to };
		int r;

		q.to = m->nodes[column + (column >= row)];
		if (p->answered)
			continue;
		m->n_failed++;
		r = diagnose(d, &q, &m->verdicts[i], err);
		if (r < 0)
			return r;
	}
	return 0;
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
				m.pings[m.n_pings++] = (struct ping) {
					.from = m.nodes[i], .to = addresses[m.nodes[k]].ip
				};
	r = prober_open(lab, NULL, &prober, err);
	if (r == 0) {
		prober_run(prober, m.pings, m.n_pings, NULL);
		r = explain_failures(&d, &m, err);
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
}

static const struct ping *ping_at(const struct matrix *m, size_t row, size_t column)
{
	return &m->pings[row * (m->n - 1) + column - (column > row)];
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
				      i == k                         ? "."
				      : ping_at(m, i, k)->answered ? "ok"
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
		size_t column = i % (m->n - 1), row = i / (m->n - 1);

		if (p->answered)
			continue;
		(void)fprintf(to, "%s -> %s: %s\n", nodes[p->from].name,
			      nodes[m->nodes[column + (column >= row)]].name, m->verdicts[i].text);
	}
}

json_t *matrix_json(const struct matrix *m)
{
	const struct node *nodes = m->lab->topology->nodes;
	json_t *pairs = json_array();

	for (size_t i = 0; i < m->n_pings; i++) {
		const struct ping *p = &m->pings[i];
		size_t column = i % (m->n - 1), row = i / (m->n - 1);
		json_t *pair = json_pack("{s:s, s:s, s:b}", "from", nodes[p->from].name, "to",
					 nodes[m->nodes[column + (column >= row)]].name, "reached",
					 p->answered);

		if (p->answered) {
			(void)json_object_set_new(pair, "ttl", json_integer(p->ttl));
		} else {
			const struct verdict *v = &m->verdicts[i];

			(void)json_object_set_new(pair, "cause",
						  json_string(cause_name(v->cause)));
			(void)json_object_set_new(pair, "text", json_string(v->text));
			(void)json_object_set_new(pair, "onReturn", json_boolean(v->on_return));
			if (v->node != NO_INDEX)
				(void)json_object_set_new(pair, "at",
							  json_string(nodes[v->node].name));
		}
		(void)json_array_append_new(pairs, pair);
	}
	return json_pack("{s:i, s:i, s:o}", "pairs", (int)m->n_pings, "failed", (int)m->n_failed,
			 "matrix", pairs);
}

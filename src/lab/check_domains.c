/* src/lab/check_domains.c - checks of who hears whose broadcasts. */
#include "base/alloc.h"
#include "lab/checking.h"
#include "lab/segment.h"

static bool observe(struct checking *c)
{
	struct error err = { 0 };

	if (!c->has_domains && domains_observe(c->lab, &c->now, &err) < 0)
		return checking_failed(c, xstrdup(err.text));
	c->has_domains = true;
	if (c->now.storm)
		return checking_failed(
			c,
			xasprintf("broadcast storm: a loop without spanning tree, %llu "
				  "frames a second; the bridges have been taken down [%s]",
				  (unsigned long long)c->now.storm_rate, cause_name(CAUSE_STORM)));
	return true;
}

static size_t find_point(struct checking *c, const struct yaml *y)
{
	struct link_end end;
	size_t point = NO_INDEX;

	if (!checking_end(c, y, &end))
		return NO_INDEX;
	point = domains_find(&c->now, end.node, end.interface);
	if (point == NO_INDEX || !c->now.points[point].is_end)
		yaml_fail(&c->rd, y, "%s is no end of Ethernet: nothing is sent from there",
			  y->text);
	return point;
}

/* Why one does not hear the other, as of the last observation. */
static void why_deaf(struct checking *c, const struct link_end *from, const struct link_end *to,
		     struct verdict *v)
{
	struct error err = { 0 };

	segment_explain(&c->now, &c->d.facts, from, to, v);
	if (ip_is_set(&v->below_to) && diagnosis_observe(&c->d, &err) == 0)
		explain_below(&c->d, v);
}

static bool hear_each_other(struct checking *c, size_t a, size_t b)
{
	char x[LINK_END_LEN], y[LINK_END_LEN];
	struct verdict v = { .cause = CAUSE_NONE };
	size_t from = domains_hears(&c->now, a, b) ? b : a, to = from == a ? b : a;

	if (domains_hears(&c->now, a, b) && domains_hears(&c->now, b, a))
		return true;
	link_end_format(checking_lab(c), &c->now.points[from].at, x);
	link_end_format(checking_lab(c), &c->now.points[to].at, y);
	why_deaf(c, &c->now.points[from].at, &c->now.points[to].at, &v);
	return checking_failed(
		c, xasprintf("%s does not hear %s: %s [%s]", y, x, v.text, cause_name(v.cause)));
}

bool check_same_domain(struct checking *c)
{
	const struct yaml *list = c->check->arguments;
	size_t n = yaml_count(&c->rd, list, c->check->kind), first = NO_INDEX;

	if (!observe(c))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t point = find_point(c, yaml_item(list, i));

		if (c->rd.r < 0 || point == NO_INDEX)
			return false;
		if (first == NO_INDEX)
			first = point;
		else if (!hear_each_other(c, first, point))
			return false;
	}
	return true;
}

static bool is_exactly(struct checking *c, const struct yaml *members)
{
	size_t n = yaml_count(&c->rd, members, "a domain"), domain = NO_INDEX, first = 0, has = 0;

	for (size_t i = 0; i < n; i++) {
		size_t point = find_point(c, yaml_item(members, i));

		if (c->rd.r < 0 || point == NO_INDEX)
			return false;
		if (i == 0) {
			domain = c->now.points[point].broadcast;
			first = point;
		} else if (!hear_each_other(c, first, point)) {
			return false;
		}
	}
	for (size_t i = 0; i < c->now.n; i++)
		has += c->now.points[i].broadcast == domain && domain != NO_INDEX;
	if (has == n)
		return true;
	for (size_t i = 0; i < c->now.n; i++) {
		char name[LINK_END_LEN];
		bool listed = false;

		if (c->now.points[i].broadcast != domain)
			continue;
		for (size_t k = 0; k < n; k++)
			listed = listed || find_point(c, yaml_item(members, k)) == i;
		link_end_format(checking_lab(c), &c->now.points[i].at, name);
		if (!listed)
			return checking_failed(c, xasprintf("%s is in the domain of %s, too", name,
							    yaml_item(members, 0)->text));
	}
	return false;
}

/* Two that the file's cables join and that do not hear each other say why there are more. */
static bool wrong_number(struct checking *c, size_t wanted)
{
	for (size_t i = 0; c->now.n_broadcast > wanted && i < c->now.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct point *a = &c->now.points[k], *b = &c->now.points[i];
			struct verdict v = { .cause = CAUSE_NONE };

			if (!a->is_end || !b->is_end || a->broadcast == b->broadcast ||
			    !segment_is_wired(checking_lab(c), &a->at, &b->at))
				continue;
			why_deaf(c, &a->at, &b->at, &v);
			return checking_failed(
				c, xasprintf("there are %zu broadcast domains: %s [%s]",
					     c->now.n_broadcast, v.text, cause_name(v.cause)));
		}
	return checking_failed(c, xasprintf("there are %zu broadcast domains", c->now.n_broadcast));
}

bool check_domains(struct checking *c)
{
	const struct yaml *what = c->check->arguments;
	size_t n;

	if (!observe(c))
		return false;
	if (what->kind != YAML_LIST) {
		n = yaml_number(&c->rd, what, "domains", 0, LAB_NODES_MAX, 0);
		return c->rd.r == 0 && (c->now.n_broadcast == n || wrong_number(c, n));
	}
	for (size_t i = 0; i < yaml_count(&c->rd, what, "domains"); i++)
		if (!is_exactly(c, yaml_item(what, i)))
			return false;
	return true;
}

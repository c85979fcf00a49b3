/* src/network/stack_text.c */
#include "network/stack_text.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "base/strv.h"
#include "kernel/stack.h"

#define RULE_LOCAL 0U /* the three that are always there */
#define RULE_MAIN  32766U
#define RULE_LAST  32767U

static const char *link_name(const struct stack *stack, int index)
{
	const struct stack_link *link = stack_link(stack, index);

	return link ? link->name : "?";
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}

/* A section that got nothing says so. */
static void end_section(struct strv *ret, size_t heading)
{
	if (ret->n == heading + 1)
		strv_add(ret, "  none");
}

static void link_lines(const struct stack *stack, struct strv *ret)
{
	strv_add(ret, "links");
	for (size_t i = 0; i < stack->links.n; i++) {
		const struct stack_link *l = &stack->links.items[i];

		strv_addf(ret, "  %d %-10s %-4s mtu %u%s%s%s%s", l->index, l->name,
			  !l->up       ? "down"
			  : l->carrier ? "up"
				       : "up, no carrier",
			  l->mtu, l->kind[0] ? "  " : "", l->kind, l->loopback ? "" : "  ",
			  l->loopback ? "" : l->mac);
	}
}

static void address_lines(const struct stack *stack, struct strv *ret)
{
	size_t heading = ret->n;

	strv_add(ret, "addresses");
	for (size_t i = 0; i < stack->addresses.n; i++) {
		const struct stack_address *a = &stack->addresses.items[i];

		strv_addf(ret, "  %-10s %s/%u", link_name(stack, a->index), a->ip, a->prefix_len);
	}
	end_section(ret, heading);
}

static void route_line(const struct stack *stack, const struct stack_route *r, struct strv *ret)
{
	const char *type = r->type == RTN_UNICAST ? "" : stack_route_type(r->type);
	char table[24] = "", metric[24] = "";

	if (r->table != RT_TABLE_MAIN)
		(void)snprintf(table, sizeof(table), " table %u", r->table);
	if (r->metric)
		(void)snprintf(metric, sizeof(metric), " metric %u", r->metric);
	strv_addf(ret, "  %s%s%s%s%s%s%s%s%s%s", type, *type ? " " : "",
		  r->v6 && strcmp(r->to, "default") == 0 ? "IPv6 " : "", r->to,
		  r->via[0] ? " via " : "", r->via, r->index ? " dev " : "",
		  r->index ? link_name(stack, r->index) : "", metric, table);
}

/* What happens to packets from there that come in by a link whose route is not taken. */
static const char *rp_filter_effect(uint8_t rp_filter)
{
	return rp_filter == 1 ? "rp_filter 1 drops what comes in here from there"
	       : rp_filter    ? "rp_filter 2 lets it in, answers leave by the first"
			      : "rp_filter 0 lets it in, answers leave by the first";
}

static void route_lines(const struct stack *stack, struct strv *ret)
{
	size_t heading = ret->n;

	strv_add(ret, "routes");
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct stack_route *r = &stack->routes.items[i];

		route_line(stack, r, ret);
		if (r->shadowed)
			strv_addf(ret, "    two equal routes, the first wins; %s",
				  rp_filter_effect(r->rp_filter));
	}
	end_section(ret, heading);
}

/* Only what somebody added. */
static void rule_lines(const struct stack *stack, struct strv *ret)
{
	size_t heading = ret->n;

	strv_add(ret, "rules (beside local, main, default)");
	for (size_t i = 0; i < stack->rules.n; i++) {
		const struct stack_rule *r = &stack->rules.items[i];

		if (r->priority == RULE_LOCAL || r->priority == RULE_MAIN ||
		    r->priority == RULE_LAST)
			continue;
		strv_addf(ret, "  %u: from %s to %s%s%s table %u", r->priority, r->from, r->to,
			  r->in[0] ? " iif " : "", r->in, r->table);
	}
	end_section(ret, heading);
}

static void neighbour_lines(const struct stack *stack, struct strv *ret)
{
	size_t heading = ret->n;

	strv_add(ret, "neighbours");
	for (size_t i = 0; i < stack->neighbours.n; i++) {
		const struct stack_neighbour *n = &stack->neighbours.items[i];

		strv_addf(ret, "  %s dev %s %s %s", n->ip, link_name(stack, n->index), n->mac,
			  stack_neighbour_state(n->state));
	}
	end_section(ret, heading);
}

static void socket_lines(const struct stack *stack, struct strv *ret)
{
	size_t heading = ret->n;

	strv_add(ret, "listening sockets");
	for (size_t i = 0; i < stack->sockets.n; i++) {
		const struct stack_socket *s = &stack->sockets.items[i];
		bool v6 = strchr(s->ip, ':') != NULL;

		strv_addf(ret, "  %s %s%s%s:%u%s%s", protocol_name(s->protocol), v6 ? "[" : "",
			  s->ip, v6 ? "]" : "", s->port, s->program[0] ? "  " : "", s->program);
	}
	end_section(ret, heading);
}

void stack_lines(const struct stack *stack, struct strv *ret)
{
	link_lines(stack, ret);
	address_lines(stack, ret);
	route_lines(stack, ret);
	rule_lines(stack, ret);
	neighbour_lines(stack, ret);
	socket_lines(stack, ret);
	if (stack->cut)
		strv_addf(ret, "a list has more than %u entries: the rest is left out",
			  STACK_LIST_MAX);
}

/* as JSON */

static json_t *links_json(const struct stack *stack)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stack->links.n; i++) {
		const struct stack_link *l = &stack->links.items[i];
		json_t *addresses = json_array();

		for (size_t k = 0; k < stack->addresses.n; k++) {
			const struct stack_address *a = &stack->addresses.items[k];

			if (a->index == l->index)
				(void)json_array_append_new(
					addresses, json_sprintf("%s/%u", a->ip, a->prefix_len));
		}
		(void)json_array_append_new(
			list, json_pack("{s:i, s:s, s:s, s:b, s:b, s:i, s:s, s:o}", "Index",
					l->index, "Name", l->name, "Kind", l->kind, "Up", l->up,
					"Carrier", l->carrier, "MTU", (int)l->mtu, "MAC", l->mac,
					"Addresses", addresses));
	}
	return list;
}

static json_t *routes_json(const struct stack *stack)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct stack_route *r = &stack->routes.items[i];

		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:b}", "Type",
					stack_route_type(r->type), "To", r->to, "Via", r->via,
					"Link", r->index ? link_name(stack, r->index) : "",
					"Family", r->v6 ? 6 : 4, "Metric", (json_int_t)r->metric,
					"Table", (json_int_t)r->table, "Shadowed", r->shadowed));
	}
	return list;
}

static json_t *neighbours_json(const struct stack *stack)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stack->neighbours.n; i++) {
		const struct stack_neighbour *n = &stack->neighbours.items[i];

		(void)json_array_append_new(list,
					    json_pack("{s:s, s:s, s:s, s:s}", "IP", n->ip, "Link",
						      link_name(stack, n->index), "MAC", n->mac,
						      "State", stack_neighbour_state(n->state)));
	}
	return list;
}

static json_t *rules_json(const struct stack *stack)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stack->rules.n; i++) {
		const struct stack_rule *r = &stack->rules.items[i];

		(void)json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:I, s:i}",
							    "Priority", (json_int_t)r->priority,
							    "From", r->from, "To", r->to, "In",
							    r->in, "Table", (json_int_t)r->table,
							    "Family", r->v6 ? 6 : 4));
	}
	return list;
}

static json_t *sockets_json(const struct stack *stack)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stack->sockets.n; i++) {
		const struct stack_socket *s = &stack->sockets.items[i];

		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s?}", "Protocol",
							    protocol_name(s->protocol), "IP", s->ip,
							    "Port", (int)s->port, "Program",
							    s->program[0] ? s->program : NULL));
	}
	return list;
}

json_t *stack_json(const struct stack *stack)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "Links", links_json(stack), "Routes",
			 routes_json(stack), "Rules", rules_json(stack), "Neighbours",
			 neighbours_json(stack), "Sockets", sockets_json(stack));
}

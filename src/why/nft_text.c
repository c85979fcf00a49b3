/* src/why/nft_text.c */
#include "why/nft_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define DEPTH_MAX 16

static void expression(const json_t *e, unsigned depth, struct buf *to);

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

static void as_json(const json_t *e, struct buf *to)
{
	autofree char *text = json_dumps(e, JSON_COMPACT | JSON_ENCODE_ANY);

	buf_add_str(to, text ? text : "?");
}

static void list(const json_t *items, const char *glue, unsigned depth, struct buf *to)
{
	const json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		buf_add_str(to, i ? glue : "");
		expression(item, depth, to);
	}
}

/* A set's element, or, in a map, a pair of it and what it leads to. */
static void elements(const json_t *items, unsigned depth, struct buf *to)
{
	const json_t *item;
	size_t i;

	buf_add_str(to, "{ ");
	json_array_foreach (items, i, item) {
		buf_add_str(to, i ? ", " : "");
		if (json_is_array(item) && json_array_size(item) == 2) {
			expression(json_array_get(item, 0), depth, to);
			buf_add_str(to, " : ");
			expression(json_array_get(item, 1), depth, to);
		} else {
			expression(item, depth, to);
		}
	}
	buf_add_str(to, " }");
}

static void meta(const json_t *m, struct buf *to)
{
	static const char *const bare[] = { "iif", "iifname", "oif", "oifname" };
	const char *key = text_of(m, "key");

	for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
		if (strcmp(bare[i], key) == 0) {
			buf_add_str(to, key);
			return;
		}
	buf_addf(to, "meta %s", key);
}

static void payload(const json_t *p, struct buf *to)
{
	if (json_object_get(p, "base"))
		buf_addf(to, "@%s,%lld,%lld", text_of(p, "base"),
			 (long long)json_integer_value(json_object_get(p, "offset")),
			 (long long)json_integer_value(json_object_get(p, "len")));
	else
		buf_addf(to, "%s %s", text_of(p, "protocol"), text_of(p, "field"));
}

static void ct(const json_t *c, struct buf *to)
{
	const char *dir = text_of(c, "dir");

	buf_addf(to, "ct %s%s%s", dir, *dir ? " " : "", text_of(c, "key"));
}

static void flags(const json_t *value, const char *glue, unsigned depth, struct buf *to)
{
	if (json_is_array(value))
		list(value, glue, depth, to);
	else if (value)
		expression(value, depth, to);
}

static void fib(const json_t *f, unsigned depth, struct buf *to)
{
	buf_add_str(to, "fib ");
	flags(json_object_get(f, "flags"), " . ", depth, to);
	buf_addf(to, " %s", text_of(f, "result"));
}

static void map(const json_t *m, unsigned depth, struct buf *to)
{
	expression(json_object_get(m, "key"), depth, to);
	buf_add_str(to, " map ");
	expression(json_object_get(m, "data"), depth, to);
}

static void option(const char *what, const json_t *o, struct buf *to)
{
	const char *field = text_of(o, "field");

	buf_addf(to, "%s %s%s%s", what, text_of(o, "name"), *field ? " " : "", field);
}

static void prefix(const json_t *p, unsigned depth, struct buf *to)
{
	expression(json_object_get(p, "addr"), depth, to);
	buf_addf(to, "/%lld", (long long)json_integer_value(json_object_get(p, "len")));
}

static void object(const char *key, const json_t *v, unsigned depth, struct buf *to)
{
	static const char *const operators[] = { "&", "|", "^", "<<", ">>" };

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (strcmp(key, operators[i]) == 0) {
			expression(json_array_get(v, 0), depth, to);
			buf_addf(to, " %s ", key);
			expression(json_array_get(v, 1), depth, to);
			return;
		}
	if (strcmp(key, "meta") == 0)
		meta(v, to);
	else if (strcmp(key, "payload") == 0)
		payload(v, to);
	else if (strcmp(key, "ct") == 0)
		ct(v, to);
	else if (strcmp(key, "fib") == 0)
		fib(v, depth, to);
	else if (strcmp(key, "prefix") == 0)
		prefix(v, depth, to);
	else if (strcmp(key, "range") == 0)
		list(v, "-", depth, to);
	else if (strcmp(key, "concat") == 0)
		list(v, " . ", depth, to);
	else if (strcmp(key, "set") == 0 && json_is_array(v))
		elements(v, depth, to);
	else if (strcmp(key, "map") == 0)
		map(v, depth, to);
	else if (strcmp(key, "elem") == 0)
		expression(json_object_get(v, "val"), depth, to);
	else if (strcmp(key, "tcp option") == 0 || strcmp(key, "exthdr") == 0)
		option(key, v, to);
	else if (strcmp(key, "jump") == 0 || strcmp(key, "goto") == 0)
		buf_addf(to, "%s %s", key, text_of(v, "target"));
	else if (json_is_null(v))
		buf_add_str(to, key);
	else {
		buf_addf(to, "%s ", key);
		as_json(v, to);
	}
}

static void expression(const json_t *e, unsigned depth, struct buf *to)
{
	if (depth == 0)
		buf_add_str(to, "...");
	else if (json_is_string(e))
		buf_add_str(to, json_string_value(e));
	else if (json_is_integer(e))
		buf_addf(to, "%lld", (long long)json_integer_value(e));
	else if (json_is_boolean(e))
		buf_add_str(to, json_is_true(e) ? "exists" : "missing");
	else if (json_is_array(e))
		list(e, ",", depth - 1, to);
	else if (json_is_object(e) && json_object_size(e) > 0)
		object(json_object_iter_key(json_object_iter((json_t *)e)),
		       json_object_iter_value(json_object_iter((json_t *)e)), depth - 1, to);
	else if (e)
		as_json(e, to);
}

void nft_text_expression(const json_t *e, struct buf *to)
{
	expression(e, DEPTH_MAX, to);
}

/* statements */

static bool is_name(const json_t *left)
{
	const char *key = text_of(json_object_get(left, "meta"), "key");

	return strcmp(key, "iifname") == 0 || strcmp(key, "oifname") == 0 ||
	       strcmp(key, "iif") == 0 || strcmp(key, "oif") == 0;
}

static void match(const json_t *m, struct buf *to)
{
	const json_t *left = json_object_get(m, "left"), *right = json_object_get(m, "right");
	const char *op = text_of(m, "op");
	bool quoted = is_name(left) && json_is_string(right) && json_string_value(right)[0] != '@';

	nft_text_expression(left, to);
	buf_add_char(to, ' ');
	if (strcmp(op, "in") != 0 && (strcmp(op, "==") != 0 || json_object_get(left, "&")))
		buf_addf(to, "%s ", op);
	buf_add_str(to, quoted ? "\"" : "");
	nft_text_expression(right, to);
	buf_add_str(to, quoted ? "\"" : "");
}

static void counter(const json_t *c, struct buf *to)
{
	if (json_is_string(c))
		buf_addf(to, "counter name %s", json_string_value(c));
	else
		buf_add_str(to, "counter");
}

static void limit(const json_t *l, struct buf *to)
{
	const char *unit = text_of(l, "rate_unit");

	buf_addf(to, "limit rate %s%lld%s%s/%s",
		 json_is_true(json_object_get(l, "inv")) ? "over " : "",
		 (long long)json_integer_value(json_object_get(l, "rate")), *unit ? " " : "", unit,
		 text_of(l, "per"));
}

static void reject(const json_t *r, struct buf *to)
{
	const char *type = text_of(r, "type");

	buf_add_str(to, "reject");
	if (*type)
		buf_addf(to, " with %s", type);
	if (json_object_get(r, "expr")) {
		buf_add_char(to, ' ');
		nft_text_expression(json_object_get(r, "expr"), to);
	}
}

static void nat(const char *name, const json_t *n, struct buf *to)
{
	const json_t *address = json_object_get(n, "addr"), *port = json_object_get(n, "port");
	const char *family = text_of(n, "family");

	buf_add_str(to, name);
	if (*family)
		buf_addf(to, " %s", family);
	if (address || port)
		buf_add_str(to, " to ");
	if (address)
		nft_text_expression(address, to);
	if (port) {
		buf_add_char(to, ':');
		nft_text_expression(port, to);
	}
	if (json_object_get(n, "flags")) {
		buf_add_char(to, ' ');
		flags(json_object_get(n, "flags"), ",", DEPTH_MAX, to);
	}
}

static void log_text(const json_t *l, struct buf *to)
{
	buf_add_str(to, "log");
	if (json_object_get(l, "prefix"))
		buf_addf(to, " prefix \"%s\"", text_of(l, "prefix"));
	if (json_object_get(l, "group"))
		buf_addf(to, " group %lld",
			 (long long)json_integer_value(json_object_get(l, "group")));
}

static void mangle(const json_t *m, struct buf *to)
{
	nft_text_expression(json_object_get(m, "key"), to);
	buf_add_str(to, " set ");
	nft_text_expression(json_object_get(m, "value"), to);
}

static void vmap(const json_t *v, struct buf *to)
{
	nft_text_expression(json_object_get(v, "key"), to);
	buf_add_str(to, " vmap ");
	nft_text_expression(json_object_get(v, "data"), to);
}

static void set(const json_t *s, struct buf *to)
{
	buf_addf(to, "%s %s { ", text_of(s, "op"), text_of(s, "set"));
	nft_text_expression(json_object_get(s, "elem"), to);
	buf_add_str(to, " }");
}

static void ct_count(const json_t *c, struct buf *to)
{
	buf_addf(to, "ct count %s%lld", json_is_true(json_object_get(c, "inv")) ? "over " : "",
		 (long long)json_integer_value(json_object_get(c, "val")));
}

static void xt(const json_t *x, struct buf *to)
{
	buf_addf(to, "xt %s %s", text_of(x, "type"), text_of(x, "name"));
}

void nft_text_statement(const json_t *statement, struct buf *to)
{
	static const struct {
		const char *key;
		void (*write)(const json_t *value, struct buf *to);
	} rows[] = {
		{ "match", match },   { "counter", counter }, { "limit", limit },
		{ "reject", reject }, { "log", log_text },    { "mangle", mangle },
		{ "vmap", vmap },     { "set", set },         { "ct count", ct_count },
		{ "xt", xt },
	};
	static const char *const nats[] = { "dnat", "snat", "masquerade", "redirect", "tproxy" };
	void *at = json_object_iter((json_t *)statement);
	const char *key = at ? json_object_iter_key(at) : "?";
	const json_t *value = at ? json_object_iter_value(at) : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].key, key) == 0) {
			rows[i].write(value, to);
			return;
		}
	for (size_t i = 0; i < ARRAY_SIZE(nats); i++)
		if (strcmp(nats[i], key) == 0) {
			nat(key, value, to);
			return;
		}
	object(key, value, DEPTH_MAX, to);
}

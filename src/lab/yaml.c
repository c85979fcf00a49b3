/* src/lab/yaml.c - libfyaml's events become a tree; getters for those who read it.
 *
 * Events, not its document: there an alias is followed while the tree is built, and here each value
 * has the place where it begins.
 */
#include "lab/yaml.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/text.h"

struct builder {
	const char *what;
	struct error *err;
	struct yaml *root, *last;          /* the list of all values */
	struct yaml *open[YAML_DEPTH_MAX]; /* lists and maps that have not ended */
	struct yaml *key[YAML_DEPTH_MAX];  /* of a map: a key whose value comes next */
	size_t depth, n;
};

static int place_error(const char *what, unsigned line, unsigned column, struct error *err,
		       const char *fmt, ...) printf_like(5, 6);

static int place_error(const char *what, unsigned line, unsigned column, struct error *err,
		       const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(err, -EINVAL, "%s:%u:%u: %s", what, line, column, text);
}

static struct yaml *value_new(struct builder *b, enum yaml_kind kind, struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
	struct yaml *y = xnew(struct yaml);

	y->kind = kind;
	y->line = mark ? (unsigned)mark->line + 1 : 1;
	y->column = mark ? (unsigned)mark->column + 1 : 1;
	if (b->last)
		b->last->next = y;
	else
		b->root = y;
	b->last = y;
	b->n++;
	return y;
}

static void append(struct yaml *to, struct yaml *key, struct yaml *value)
{
	if (to->n == to->room) {
		to->room = to->room ? to->room * 2 : 8;
		to->items = xrealloc(to->items, to->room, sizeof(struct yaml *));
		if (to->kind == YAML_MAP)
			to->keys = xrealloc(to->keys, to->room, sizeof(struct yaml *));
	}
	if (to->kind == YAML_MAP)
		to->keys[to->n] = key;
	to->items[to->n++] = value;
}

/* A value takes its place in what is open around it. */
static int place(struct builder *b, struct yaml *y)
{
	struct yaml *in = b->depth ? b->open[b->depth - 1] : NULL;
	struct yaml **key = b->depth ? &b->key[b->depth - 1] : NULL;

	if (!in)
		return 0;
	if (in->kind == YAML_LIST) {
		append(in, NULL, y);
		return 0;
	}
	if (*key) {
		append(in, *key, y);
		*key = NULL;
		return 0;
	}
	if (y->kind != YAML_SCALAR)
		return place_error(b->what, y->line, y->column, b->err,
				   "a key is a plain word, not a list or a map");
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->keys[i]->text, y->text) == 0)
			return place_error(b->what, y->line, y->column, b->err,
					   "'%s' stands here twice; line %u has it, too", y->text,
					   in->keys[i]->line);
	*key = y;
	return 0;
}

static int take_scalar(struct builder *b, struct fy_token *token)
{
	struct yaml *y = value_new(b, YAML_SCALAR, token);
	size_t len = 0;
	const char *text = fy_token_get_text(token, &len);

	y->text = xstrndup(text ? text : "", len);
	y->quoted = fy_token_scalar_style(token) != FYSS_PLAIN;
	if (strlen(y->text) != len)
		return place_error(b->what, y->line, y->column, b->err, "a text with a zero byte");
	return place(b, y);
}

static int take_start(struct builder *b, enum yaml_kind kind, struct fy_token *token)
{
	struct yaml *y = value_new(b, kind, token);
	int r = place(b, y);

	if (r < 0)
		return r;
	if (b->depth == YAML_DEPTH_MAX)
		return place_error(b->what, y->line, y->column, b->err,
				   "lists and maps in each other, more than %d deep",
				   YAML_DEPTH_MAX);
	b->key[b->depth] = NULL;
	b->open[b->depth++] = y;
	return 0;
}

static int refuse(struct builder *b, struct fy_token *token, const char *why)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	return place_error(b->what, mark ? (unsigned)mark->line + 1 : 1,
			   mark ? (unsigned)mark->column + 1 : 1, b->err, "%s", why);
}

static int take(struct builder *b, struct fy_event *event)
{
	if (b->n >= YAML_VALUES_MAX)
		return error_set(b->err, -E2BIG, "%s: more than %d values", b->what,
				 YAML_VALUES_MAX);
	switch ((int)event->type) {
	case FYET_SCALAR:
		if (event->scalar.anchor)
			break;
		return take_scalar(b, event->scalar.value);
	case FYET_SEQUENCE_START:
		if (event->sequence_start.anchor)
			break;
		return take_start(b, YAML_LIST, event->sequence_start.sequence_start);
	case FYET_MAPPING_START:
		if (event->mapping_start.anchor)
			break;
		return take_start(b, YAML_MAP, event->mapping_start.mapping_start);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		b->depth--;
		return 0;
	case FYET_DOCUMENT_START:
		if (b->root)
			return refuse(b, event->document_start.document_start,
				      "a second document; a lab is one");
		return 0;
	case FYET_ALIAS:
		return refuse(b, event->alias.anchor, "aliases are not read; write it out");
	default:
		return 0;
	}
	return refuse(b,
		      event->type == FYET_SCALAR           ? event->scalar.anchor
		      : event->type == FYET_SEQUENCE_START ? event->sequence_start.anchor
							   : event->mapping_start.anchor,
		      "anchors are not read; write it out");
}

/* An implicit map ("a: 1") has no token of its own: it begins where its first key does. */
static void place_implicit(struct yaml *root)
{
	for (struct yaml *y = root; y; y = y->next) {
		const struct yaml *first = y->kind == YAML_MAP && y->n    ? y->keys[0]
					   : y->kind == YAML_LIST && y->n ? y->items[0]
									  : NULL;

		if (first && y->line == 1 && y->column == 1) {
			y->line = first->line;
			y->column = first->column;
		}
	}
}

static void swallow(struct fy_diag *diag, void *user, const char *bytes, size_t len)
{
	(void)diag;
	(void)user;
	(void)bytes;
	(void)len;
}

static int syntax_error(struct fy_diag *diag, const char *what, struct error *err)
{
	void *at = NULL;
	const struct fy_diag_error *e = fy_diag_errors_iterate(diag, &at);

	if (!e)
		return error_set(err, -EINVAL, "%s: this is no YAML", what);
	return place_error(what, (unsigned)MAX(e->line, 1), (unsigned)MAX(e->column, 1), err, "%s",
			   e->msg);
}

static int build(struct fy_parser *parser, struct builder *b, struct fy_diag *diag)
{
	struct fy_event *event;
	int r = 0;

	while (r == 0 && (event = fy_parser_parse(parser))) {
		r = take(b, event);
		fy_parser_event_free(parser, event);
	}
	if (r == 0 && fy_diag_got_error(diag))
		r = syntax_error(diag, b->what, b->err);
	if (r == 0 && !b->root)
		r = error_set(b->err, -EINVAL, "%s is empty", b->what);
	return r;
}

/* A byte that is no UTF-8 in a directive keeps libfyaml (0.7.12) busy for ever. */
static int must_be_utf8(const char *bytes, size_t len, const char *what, struct error *err)
{
	size_t end = text_utf8_len(bytes, len);
	unsigned line = 1, column = 1;

	if (end == len)
		return 0;
	for (size_t i = 0; i < end; i++) {
		column = bytes[i] == '\n' ? 1 : column + ((bytes[i] & 0xc0) != 0x80);
		line += bytes[i] == '\n';
	}
	return place_error(what, line, column, err, "the byte 0x%02x is no UTF-8",
			   (unsigned char)bytes[end]);
}

int yaml_parse(const char *bytes, size_t len, const char *what, struct yaml **ret,
	       struct error *err)
{
	const struct fy_diag_cfg silent = {
		.output_fn = swallow, .level = FYET_ERROR, .module_mask = ~0U, .show_position = true
	};
	struct builder b = { .what = what, .err = err };
	struct fy_parse_cfg cfg = { .search_path = "" };
	struct fy_parser *parser;
	int r;

	if (len > YAML_SIZE_MAX)
		return error_set(err, -EFBIG, "%s is larger than %u bytes", what, YAML_SIZE_MAX);
	r = must_be_utf8(bytes, len, what, err);
	if (r < 0)
		return r;
	cfg.diag = fy_diag_create(&silent);
	if (!cfg.diag)
		abort(); /* no memory */
	fy_diag_set_collect_errors(cfg.diag, true);
	parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_string(parser, bytes, len) != 0)
		abort();
	r = build(parser, &b, cfg.diag);
	fy_parser_destroy(parser);
	fy_diag_destroy(cfg.diag);
	if (r < 0) {
		yaml_free(b.root);
		return r;
	}
	place_implicit(b.root);
	*ret = b.root;
	return 0;
}

void yaml_free(struct yaml *y)
{
	while (y) {
		struct yaml *next = y->next;

		free(y->text);
		free(y->keys);
		free(y->items);
		free(y);
		y = next;
	}
}

/* reading */

void yaml_fail(struct yaml_reader *rd, const struct yaml *at, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (rd->r < 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rd->r = place_error(rd->what, at ? at->line : 1, at ? at->column : 1, rd->err, "%s", text);
}

static bool is_null(const struct yaml *y)
{
	return y->kind == YAML_SCALAR && !y->quoted &&
	       (!y->text[0] || strcmp(y->text, "~") == 0 || strcmp(y->text, "null") == 0);
}

void yaml_check_keys(struct yaml_reader *rd, const struct yaml *map, const char *const *keys,
		     const char *whose)
{
	if (!map || is_null(map))
		return;
	if (map->kind != YAML_MAP) {
		yaml_fail(rd, map, "%s is a map of keys and values", whose);
		return;
	}
	for (size_t i = 0; i < map->n; i++) {
		struct nearest near = nearest_init(map->keys[i]->text);
		bool known = false;

		for (const char *const *key = keys; *key && !known; key++) {
			known = strcmp(*key, map->keys[i]->text) == 0;
			nearest_try(&near, *key);
		}
		if (!known)
			yaml_fail(rd, map->keys[i], "%s has no key '%.60s'%s%s%s", whose,
				  map->keys[i]->text, near.best ? "; did you mean '" : "",
				  near.best ? near.best : "", near.best ? "'?" : "");
	}
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return is_null(map->items[i]) ? NULL : map->items[i];
	return NULL;
}

const char *yaml_text(struct yaml_reader *rd, const struct yaml *y, const char *name)
{
	if (!y)
		return NULL;
	if (y->kind == YAML_SCALAR)
		return y->text;
	yaml_fail(rd, y, "%s wants one word, not a %s", name,
		  y->kind == YAML_LIST ? "list" : "map");
	return NULL;
}

bool yaml_bool(struct yaml_reader *rd, const struct yaml *y, const char *name, bool fallback)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "false", false }, { "yes", true },
		      { "no", false },  { "on", true },     { "off", false } };
	const char *text = yaml_text(rd, y, name);

	if (!text)
		return fallback;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i].word) == 0)
			return words[i].value;
	yaml_fail(rd, y, "%s is true or false, not '%.60s'", name, text);
	return fallback;
}

uint64_t yaml_number(struct yaml_reader *rd, const struct yaml *y, const char *name, uint64_t min,
		     uint64_t max, uint64_t fallback)
{
	const char *text = yaml_text(rd, y, name);
	uint64_t value = fallback;

	if (text && (number_parse(text, max, &value) < 0 || value < min))
		yaml_fail(rd, y, "%s is a number from %llu to %llu, not '%.60s'", name,
			  (unsigned long long)min, (unsigned long long)max, text);
	return rd->r < 0 ? fallback : value;
}

size_t yaml_count(struct yaml_reader *rd, const struct yaml *y, const char *name)
{
	if (!y)
		return 0;
	if (y->kind == YAML_MAP)
		yaml_fail(rd, y, "%s is a list, not a map", name);
	return y->kind == YAML_LIST ? y->n : y->kind == YAML_SCALAR ? 1 : 0;
}

const struct yaml *yaml_item(const struct yaml *y, size_t i)
{
	return y->kind == YAML_LIST ? y->items[i] : y;
}

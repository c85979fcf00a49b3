/* src/engine/settings.c */
#include "engine/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "image/image.h"

#define TEXT_MAX (64U << 10)

/* ours: nobody asked for it, the next run adds it again. */
static bool is_ours(const char *variable, const struct strv *of_image)
{
	static const char *const names[] = { "HOSTNAME=", "HOME=", "TERM=" };

	if (strcmp(variable, CONFIG_DEFAULT_PATH) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return !strv_has(of_image, variable);
	return false;
}

/* ENV and LABEL. */
static void add_pair(const char *word, const char *pair, struct strv *ret)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	size_t name = strcspn(pair, "=");

	buf_addf(&text, "%s %.*s=\"", word, (int)name, pair);
	for (const char *p = pair + name + (pair[name] == '='); *p; p++)
		buf_addf(&text, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
	buf_add_str(&text, "\"");
	strv_add(ret, buf_text(&text));
	buf_done(&text);
}

static void add_list(const char *word, char *const *items, size_t n, struct strv *ret)
{
	cleanup(json_cleanup) json_t *list = json_array();
	autofree char *text = NULL;

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(items[i]));
	text = json_dumps(list, JSON_COMPACT);
	strv_addf(ret, "%s %s", word, text);
}

/* "0.0.0.0:8080->80/tcp", "80-82/tcp": what is behind the arrow, each port by itself. */
static void add_port(const char *port, struct strv *ret)
{
	const char *arrow = strstr(port, "->"), *inner = arrow ? arrow + 2 : port;
	char proto[16] = "tcp";
	unsigned first, last;
	int n = sscanf(inner, "%u-%u", &first, &last);
	const char *slash = strchr(inner, '/');

	if (slash)
		(void)snprintf(proto, sizeof(proto), "%s", slash + 1);
	if (n < 1)
		return;
	for (last = n == 2 ? MIN(last, 65535U) : first; first <= last; first++)
		strv_addf(ret, "EXPOSE %u/%s", first, proto);
}

static bool starts_with(const struct strv *list, const struct strv *start)
{
	for (size_t i = 0; i < start->n; i++)
		if (i >= list->n || strcmp(list->items[i], start->items[i]) != 0)
			return false;
	return true;
}

static void add_command(const struct container *c, const struct strv *entrypoint, struct strv *ret)
{
	size_t skip = starts_with(&c->command, entrypoint) ? entrypoint->n : 0;

	if (skip < entrypoint->n)
		strv_add(ret, "ENTRYPOINT []");
	add_list("CMD", c->command.items + skip, c->command.n - skip, ret);
}

int settings_list(struct engine *engine, const struct container *c, struct strv *ret,
		  struct error *err)
{
	autofree char *path = xasprintf("containers/%s/config.json", c->id);
	cleanup(image_cleanup) struct image *image = NULL;
	cleanup(json_cleanup) json_t *doc = NULL;
	const struct strv none = { 0 };
	const json_t *process, *item;
	const char *cwd;
	size_t i;
	int r = json_load_at(engine->root_fd, path, &doc, err);

	if (r == 0 && c->image_id)
		r = image_load(engine->db, engine->root_fd, c->image_id, &image, err);
	if (r < 0)
		return r;
	process = json_object_get(doc, "process");
	json_array_foreach (json_object_get(process, "env"), i, item) {
		const char *text = json_string_value(item);

		if (text && !is_ours(text, image ? &image->config.env : &none))
			add_pair("ENV", text, ret);
	}
	add_command(c, image ? &image->config.entrypoint : &none, ret);
	for (i = 0; i < c->labels.n; i++)
		add_pair("LABEL", c->labels.items[i], ret);
	for (i = 0; i < c->ports.n; i++)
		add_port(c->ports.items[i], ret);
	if (c->user && *c->user)
		strv_addf(ret, "USER %s", c->user);
	if (c->stop_signal)
		strv_addf(ret, "STOPSIGNAL %s", c->stop_signal);
	cwd = json_string_value(json_object_get(process, "cwd"));
	if (cwd && strcmp(cwd, "/") != 0)
		strv_addf(ret, "WORKDIR %s", cwd);
	return 0;
}

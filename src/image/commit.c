/* src/image/commit.c */
#include "image/commit.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "base/space.h"
#include "image/changes.h"
#include "image/config_change.h"
#include "image/document.h"
#include "image/event.h"
#include "image/fresh.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/platform.h"
#include "image/record.h"
#include "image/unpack.h"

#define LAYERS_MAX 127

struct committer {
	struct db *db;
	const struct commit_request *req;
	struct error *err;
	struct incoming in;
	struct image *base; /* or NULL */
	json_t *config;
	struct unpack_layer *layers;
	size_t n;
	bool has_layer; /* this step brought one */
};

int source_date_epoch(int64_t *ret, struct error *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t value;

	*ret = -1;
	if (!text || !*text)
		return 0;
	if (number_parse(text, INT64_MAX / 1000000000 - 1, &value) < 0)
		return error_set(err, -EINVAL,
				 "SOURCE_DATE_EPOCH is '%.40s', not a number of seconds", text);
	*ret = (int64_t)value;
	return 0;
}

/* the base */

static int load_base(struct committer *c)
{
	autofree char *path = xasprintf("blobs/sha256/%s", c->req->base);
	int r = image_load(c->db, c->req->root_fd, c->req->base, &c->base, c->err);

	if (r == 0)
		r = json_load_at(c->req->root_fd, path, &c->config, c->err);
	if (r == 0 && c->base->layers.n >= LAYERS_MAX)
		r = error_set(c->err, -E2BIG, "the image has %zu layers already; %d are the most",
			      c->base->layers.n, LAYERS_MAX);
	c->layers = xcalloc(LAYERS_MAX + 1, sizeof(*c->layers));
	for (size_t i = 0; r == 0 && i < c->base->layers.n; i++) {
		struct unpack_layer *layer = &c->layers[c->n++];

		(void)snprintf(layer->chain, sizeof(layer->chain), "%s", c->base->layers.items[i]);
		r = layer_info_load(c->in.layers_fd, layer->chain, &layer->info, c->err);
	}
	return r;
}

static int start_config(struct committer *c)
{
	const char *platform = c->req->platform;
	char own[PLATFORM_LEN], os[PLATFORM_LEN];
	char *arch, *variant;

	platform_own(own);
	(void)snprintf(os, sizeof(os), "%s", platform ? platform : own);
	arch = strchr(os, '/');
	if (!arch)
		return error_set(c->err, -EINVAL, "platform '%s' is not OS/ARCH[/VARIANT]", os);
	*arch++ = '\0';
	variant = strchr(arch, '/');
	if (variant)
		*variant++ = '\0';
	c->config = json_pack("{s:s, s:s, s:{}}", "architecture", arch, "os", os, "config");
	if (variant)
		(void)json_object_set_new(c->config, "variant", json_string(variant));
	c->layers = xcalloc(1, sizeof(*c->layers));
	return 0;
}

/* the layer */

static int count(void *data, const struct change *item, struct error *err)
{
	(void)err;
	*(bool *)data |= *item->path != '\0';
	return 0;
}

/* A step that changed nothing has no layer. */
static int is_changed(struct committer *c, bool *ret)
{
	struct changes_request walk;

	*ret = c->req->archive >= 0;
	if (*ret)
		return 0;
	walk = *c->req->changes;
	walk.visit = count;
	walk.data = ret;
	return changes_walk(&walk, c->err);
}

static int make_layer(struct committer *c)
{
	const struct strv none = { 0 };
	const struct strv *below = c->base ? &c->base->layers : &none;
	struct unpack_layer *layer = &c->layers[c->n];
	struct changes_pipe *pipe = NULL;
	int fd = -1;
	int r = is_changed(c, &c->has_layer);

	if (r < 0 || !c->has_layer)
		return r;
	if (c->req->archive >= 0) {
		r = fresh_layer(&c->in, below, c->req->archive, true, layer, c->err);
	} else {
		r = changes_pipe_open(c->req->changes, c->req->newest_s, -1, &pipe, &fd, c->err);
		if (r == 0)
			r = fresh_layer(&c->in, below, fd, false, layer, c->err);
		if (pipe)
			r = changes_pipe_close(pipe, fd, r, c->err);
	}
	if (r == 0 && c->req->left_out)
		*c->req->left_out += layer->left_out;
	c->n += r == 0;
	return r;
}

/* the config */

static json_t *child(json_t *obj, const char *key, json_t *fresh)
{
	json_t *have = json_object_get(obj, key);

	if (have && json_typeof(have) == json_typeof(fresh)) {
		json_decref(fresh);
		return have;
	}
	(void)json_object_set_new(obj, key, fresh);
	return fresh;
}

static void set_text(json_t *obj, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(obj, key, json_string(text));
}

static void add_history(struct committer *c, const char *now)
{
	json_t *history = child(c->config, "history", json_array());
	json_t *step = json_pack("{s:s}", "created", now);

	set_text(step, "created_by", c->req->created_by);
	set_text(step, "author", c->req->author);
	set_text(step, "comment", c->req->message);
	if (!c->has_layer)
		(void)json_object_set_new(step, "empty_layer", json_true());
	(void)json_array_append_new(history, step);
}

static int change_config(struct committer *c)
{
	json_t *config = child(c->config, "config", json_object());
	json_t *rootfs = child(c->config, "rootfs", json_object());
	json_t *ids = child(rootfs, "diff_ids", json_array());
	int64_t now_ns = clock_now_ns();
	char now[CLOCK_TEXT_LEN];
	int r = 0;

	if (c->req->newest_s >= 0)
		now_ns = MIN(now_ns, c->req->newest_s * 1000000000);
	clock_format(now_ns, now);
	set_text(rootfs, "type", "layers");
	if (c->has_layer) {
		autofree char *id = xasprintf("sha256:%s", c->layers[c->n - 1].info.diff_id);

		(void)json_array_append_new(ids, json_string(id));
	}
	set_text(c->config, "created", now);
	set_text(c->config, "author", c->req->author);
	add_history(c, now);
	for (size_t i = 0; r == 0 && c->req->instructions && i < c->req->instructions->n; i++)
		r = config_change(config, c->req->instructions->items[i], c->err);
	return r;
}

static int record(struct committer *c, char ret_id[ID_LEN + 1])
{
	autofree char *text = json_dumps(c->config, JSON_COMPACT);
	struct strv names = { 0 };
	struct image_record rec = { .id = ret_id, .layers = c->layers, .nlayers = c->n };
	int r;

	if (strlen(text) > DOCUMENT_MAX)
		return error_set(c->err, -EFBIG, "the image's config is larger than %u bytes",
				 DOCUMENT_MAX);
	digest_bytes(text, strlen(text), ret_id);
	rec.config = text;
	rec.config_len = strlen(text);
	if (c->req->name)
		strv_add(&names, c->req->name);
	rec.names = &names;
	r = image_record(c->db, &c->in, &rec, c->err);
	if (r == 0)
		image_event(c->req->root_fd,
			    c->req->archive < 0 && c->req->base ? "commit" : "import", ret_id,
			    &names);
	strv_done(&names);
	return r;
}

int image_commit(struct db *db, const struct commit_request *req, char ret_id[ID_LEN + 1],
		 struct error *err)
{
	struct committer c = { .db = db, .req = req, .err = err, .in = INCOMING_INIT };
	int r = incoming_open(req->root, req->root_fd, &c.in, err);

	if (r == 0)
		r = req->base ? load_base(&c) : start_config(&c);
	if (r == 0)
		r = make_layer(&c);
	if (req->read_done)
		req->read_done(req->data);
	if (r == 0)
		r = change_config(&c);
	if (r == 0)
		r = record(&c, ret_id);
	if (r < 0)
		space_explain(req->root, err);
	incoming_done(&c.in);
	if (r < 0)
		image_sweep_failed(db, req->root_fd);
	image_free(c.base);
	json_decref(c.config);
	free(c.layers);
	return r;
}

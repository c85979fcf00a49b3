/* src/builder/state.c */
#include "builder/state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "builder/cache_document.h"
#include "builder/instruction.h"
#include "image/image.h"
#include "image/platform.h"

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

static json_t *config_of(const struct state *state)
{
	return child(state->doc, "config", json_object());
}

static void default_shell(struct state *state)
{
	strv_add(&state->shell, "/bin/sh");
	strv_add(&state->shell, "-c");
}

static void scope_start(struct state *state, const struct scope_given *given, char escape)
{
	state->scope = (struct scope) { .given = given, .escape = escape };
}

void state_init_scratch(struct state *state, const struct scope_given *given, char escape,
			const char *platform)
{
	char own[PLATFORM_LEN];
	autofree char *text = NULL;
	char *arch, *variant;

	platform_own(own);
	text = xstrdup(platform ? platform : own);
	arch = text + strcspn(text, "/");
	arch += *arch == '/';
	if (arch > text)
		arch[-1] = '\0';
	variant = arch + strcspn(arch, "/");
	*state = (struct state) { .doc = NULL };
	if (*variant)
		*variant++ = '\0';
	state->doc = json_pack("{s:s, s:s, s:{}, s:{s:s, s:[]}}", "architecture", arch, "os", text,
			       "config", "rootfs", "type", "layers", "diff_ids");
	if (*variant)
		(void)json_object_set_new(state->doc, "variant", json_string(variant));
	state->created_ns = -1;
	scope_start(state, given, escape);
	default_shell(state);
}

static void take_strings(const json_t *list, struct strv *ret)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item))
			strv_add(ret, json_string_value(item));
}

static void read_config(struct state *state)
{
	json_t *config = config_of(state);
	const json_t *shell = json_object_get(config, "Shell");
	const char *created = json_string_value(json_object_get(state->doc, "created"));

	take_strings(json_object_get(config, "Env"), &state->scope.env);
	take_strings(json_object_get(config, "OnBuild"), &state->triggers);
	(void)json_object_del(config, "OnBuild");
	if (json_array_size(shell) > 0)
		take_strings(shell, &state->shell);
	else
		default_shell(state);
	if (!created || clock_parse(created, &state->created_ns) < 0)
		state->created_ns = -1;
}

int state_init_image(struct state *state, const struct scope_given *given, char escape,
		     struct db *db, int root_fd, const char *id, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", id);
	cleanup(image_cleanup) struct image *image = NULL;
	int r = image_load(db, root_fd, id, &image, err);

	*state = (struct state) { .doc = NULL };
	if (r == 0)
		r = json_load_at(root_fd, path, &state->doc, err);
	if (r < 0)
		return r;
	/* It is what made that image, and no part of what comes of it. */
	(void)json_object_del(state->doc, CACHE_INLINE_KEY);
	strv_extend(&state->chains, image->layers.items, image->layers.n);
	memcpy(state->base, image->id, sizeof(image->id));
	scope_start(state, given, escape);
	read_config(state);
	state->below = state->chains.n;
	state->below_history = json_array_size(json_object_get(state->doc, "history"));
	return 0;
}

static void copy_list(struct strv *to, const struct strv *from)
{
	strv_extend(to, from->items, from->n);
}

void state_init_stage(struct state *state, const struct state *from)
{
	json_t *config;

	*state =
		(struct state) { .doc = json_deep_copy(from->doc), .created_ns = from->created_ns };
	memcpy(state->base, from->base, sizeof(state->base));
	state->below = from->below;
	state->below_history = from->below_history;
	copy_list(&state->chains, &from->chains);
	copy_list(&state->steps, &from->steps);
	copy_list(&state->shell, &from->shell);
	scope_start(state, from->scope.given, from->scope.escape);
	copy_list(&state->scope.args, &from->scope.args);
	copy_list(&state->scope.env, &from->scope.env);
	/* What the stage below said ONBUILD about happens here. */
	config = config_of(state);
	take_strings(json_object_get(config, "OnBuild"), &state->triggers);
	(void)json_object_del(config, "OnBuild");
}

void state_done(struct state *state)
{
	json_decref(state->doc);
	strv_done(&state->chains);
	strv_done(&state->shell);
	strv_done(&state->triggers);
	strv_done(&state->steps);
	scope_done(&state->scope);
	*state = (struct state) { .doc = NULL };
}

int state_expand(struct state *state, const char *text, char **ret, struct error *err)
{
	const struct word_scope words = scope_words(&state->scope);

	return word_expand(&words, text, ret, err);
}

int state_expand_words(struct state *state, const struct strv *words, struct strv *ret,
		       struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->n; i++) {
		char *word = NULL;

		r = state_expand(state, words->items[i], &word, err);
		if (r == 0)
			strv_take(ret, word);
	}
	return r;
}

const char *state_text(const struct state *state, const char *key)
{
	return json_string_value(json_object_get(config_of(state), key));
}

void state_set_text(struct state *state, const char *key, const char *value)
{
	(void)json_object_set_new(config_of(state), key, json_string(value));
}

void state_add_label(struct state *state, const char *name, const char *value)
{
	(void)json_object_set_new(child(config_of(state), "Labels", json_object()), name,
				  json_string(value));
}

int state_config(const struct state *state, struct image_config *ret, struct error *err)
{
	return image_config_parse(state->doc, ret, err);
}

const char *state_top(const struct state *state)
{
	return state->chains.n ? state->chains.items[state->chains.n - 1] : "";
}

void state_add_history(struct state *state, const char *created_by, const char *diff_id,
		       const char *chain, int64_t created_ns)
{
	json_t *step = json_pack("{s:s}", "created_by", created_by);
	json_t *rootfs = child(state->doc, "rootfs", json_object());
	json_t *ids = child(rootfs, "diff_ids", json_array());
	char text[CLOCK_TEXT_LEN];

	if (!step) /* bytes that are no UTF-8: the history has no room for them */
		step = json_pack("{s:s}", "created_by", "(not UTF-8)");
	(void)json_object_set_new(rootfs, "type", json_string("layers"));
	if (diff_id) {
		autofree char *digest = xasprintf("sha256:%s", diff_id);

		(void)json_array_append_new(ids, json_string(digest));
		strv_add(&state->chains, chain);
		state->created_ns = created_ns;
	} else {
		(void)json_object_set_new(step, "empty_layer", json_true());
	}
	if (created_ns >= 0) {
		clock_format(created_ns, text);
		(void)json_object_set_new(step, "created", json_string(text));
	}
	(void)json_array_append_new(child(state->doc, "history", json_array()), step);
}

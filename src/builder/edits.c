/* src/builder/edits.c */
#include "builder/edits.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "builder/state.h"

void edits_done(struct image_edits *edits)
{
	strv_done(&edits->env);
	strv_done(&edits->unset_env);
	strv_done(&edits->unset_label);
	strv_done(&edits->os_features);
}

static int set_env(const struct image_edits *edits, struct state *state, json_t *config,
		   struct error *err)
{
	json_t *list;

	for (size_t i = 0; i < edits->env.n; i++)
		strv_env_set(&state->scope.env, edits->env.items[i]);
	list = json_from_strv(&state->scope.env);
	if (json_array_size(list) != state->scope.env.n) {
		json_decref(list);
		return error_set(err, -EILSEQ, "--env: a value is not UTF-8, as a config must be");
	}
	(void)json_object_set_new(config, "Env", list);
	return 0;
}

int edits_start(const struct image_edits *edits, struct state *state, struct error *err)
{
	json_t *config = json_object_get(state->doc, "config");

	if (edits->no_base_labels)
		(void)json_object_del(config, "Labels");
	return edits->env.n ? set_env(edits, state, config, err) : 0;
}

/* Variables are texts in a list, NAME=VALUE. */
static void unset_env(json_t *list, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = json_array_size(list); i > 0; i--) {
		const char *text = json_string_value(json_array_get(list, i - 1));

		if (text && strncmp(text, name, len) == 0 && text[len] == '=')
			(void)json_array_remove(list, i - 1);
	}
}

void edits_end(const struct image_edits *edits, struct state *state)
{
	json_t *config = json_object_get(state->doc, "config");

	for (size_t i = 0; i < edits->unset_env.n; i++)
		unset_env(json_object_get(config, "Env"), edits->unset_env.items[i]);
	for (size_t i = 0; i < edits->unset_label.n; i++)
		(void)json_object_del(json_object_get(config, "Labels"),
				      edits->unset_label.items[i]);
	if (edits->os_version)
		(void)json_object_set_new(state->doc, "os.version", json_string(edits->os_version));
	if (edits->os_features.n)
		(void)json_object_set_new(state->doc, "os.features",
					  json_from_strv(&edits->os_features));
	if (edits->no_history)
		(void)json_object_del(state->doc, "history");
}

void edits_take(struct state *state, const char *member, const char *name)
{
	json_t *config = json_object_get(state->doc, "config");
	json_t *list = json_object_get(config, member);

	if (!name)
		(void)json_object_del(config, member);
	else if (json_is_array(list))
		unset_env(list, name);
	else
		(void)json_object_del(list, name);
	if (strcmp(member, "Env") != 0)
		return;
	strv_done(&state->scope.env);
	list = json_object_get(config, member);
	for (size_t i = 0; i < json_array_size(list); i++)
		strv_add(&state->scope.env, json_string_value(json_array_get(list, i)));
}

void edits_set(struct state *state, const char *member, const char *value)
{
	(void)json_object_set_new(state->doc, member, json_string(value));
}

void edits_comment(struct state *state, const char *text)
{
	json_t *history = json_object_get(state->doc, "history");

	if (json_array_size(history))
		(void)json_object_set_new(json_array_get(history, json_array_size(history) - 1),
					  "comment", json_string(text));
}

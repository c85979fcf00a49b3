/* src/builder/state_text.c - a state as a text, on its way to another process of the same build. */
#include <stdio.h>

#include "base/json.h"
#include "builder/state.h"

char *state_dump(const struct state *state)
{
	cleanup(json_cleanup) json_t *all =
		json_pack("{s:O, s:o, s:o, s:o, s:o, s:o, s:I, s:b, s:s, s:I, s:I, s:o}", "doc",
			  state->doc, "chains", json_from_strv(&state->chains), "args",
			  json_from_strv(&state->scope.args), "env",
			  json_from_strv(&state->scope.env), "shell", json_from_strv(&state->shell),
			  "triggers", json_from_strv(&state->triggers), "created",
			  (json_int_t)state->created_ns, "hasCmd", state->has_cmd, "base",
			  state->base, "below", (json_int_t)state->below, "belowHistory",
			  (json_int_t)state->below_history, "steps", json_from_strv(&state->steps));

	return all ? json_dumps(all, JSON_COMPACT) : NULL;
}

int state_parse(const char *text, size_t len, const struct scope_given *given, char escape,
		struct state *ret, struct error *err)
{
	struct state state = { .scope = { .given = given, .escape = escape } };
	cleanup(json_cleanup) json_t *all = json_loadb(text, len, 0, NULL);
	struct json_reader rd;
	json_t *doc;

	json_reader_init(&rd, "a stage", err);
	doc = json_read_object(&rd, all, "doc");
	if (!doc)
		return error_set(err, -EBADMSG, "a stage came without its image");
	state.doc = json_incref(doc);
	json_read_strings(&rd, all, "chains", &state.chains);
	json_read_strings(&rd, all, "args", &state.scope.args);
	json_read_strings(&rd, all, "env", &state.scope.env);
	json_read_strings(&rd, all, "shell", &state.shell);
	json_read_strings(&rd, all, "triggers", &state.triggers);
	json_read_strings(&rd, all, "steps", &state.steps);
	state.created_ns = json_read_int(&rd, all, "created", INT64_MIN, INT64_MAX, -1);
	state.has_cmd = json_read_bool(&rd, all, "hasCmd", false);
	state.below = (size_t)json_read_int(&rd, all, "below", 0, INT32_MAX, 0);
	state.below_history = (size_t)json_read_int(&rd, all, "belowHistory", 0, INT32_MAX, 0);
	(void)snprintf(state.base, sizeof(state.base), "%s",
		       json_read_string(&rd, all, "base", ""));
	if (rd.r < 0) {
		state_done(&state);
		return rd.r;
	}
	*ret = state;
	return 0;
}

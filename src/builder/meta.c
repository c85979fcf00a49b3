/* src/builder/meta.c - the instructions that change an image's config and nothing else. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/number.h"
#include "base/process.h"
#include "builder/ignore.h"
#include "builder/instruction.h"
#include "builder/health.h"
#include "builder/state.h"

#define SAID_MAX 65536 /* of one instruction in a history */

struct applying {
	struct state *state;
	const struct instruction *ins;
	json_t *config;
	struct buf *said;
	struct error *err;
};

static json_t *member(json_t *config, const char *key, json_t *fresh)
{
	json_t *have = json_object_get(config, key);

	if (have && json_typeof(have) == json_typeof(fresh)) {
		json_decref(fresh);
		return have;
	}
	(void)json_object_set_new(config, key, fresh);
	return fresh;
}

static void say(struct applying *a, const char *text)
{
	buf_addf(a->said, " %s", text);
}

/* JSON is UTF-8; anything else would be lost without a word. */
static int text_of(const struct applying *a, const char *text, json_t **ret)
{
	*ret = json_string(text);
	return *ret ? 0 : error_set(a->err, -EILSEQ, "'%.100s' is not UTF-8", text);
}

/* ENV, LABEL */

/* "A=$b" in both its halves. */
static int expand_pair(struct applying *a, const char *word, char **ret_name, char **ret_value)
{
	size_t n = strcspn(word, "=");
	autofree char *raw = xstrndup(word, n), *name = NULL;
	int r = state_expand(a->state, raw, &name, a->err);

	if (r == 0 && !*name)
		r = error_set(a->err, -EINVAL, "'%.100s': the name is empty", word);
	if (r == 0)
		r = state_expand(a->state, word + n + 1, ret_value, a->err);
	if (r == 0)
		*ret_name = steal_ptr(&name);
	return r;
}

/* All words see the variables from before the instruction. */
static int expand_pairs(struct applying *a, struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->ins->words.n; i++) {
		autofree char *name = NULL, *value = NULL;

		r = expand_pair(a, a->ins->words.items[i], &name, &value);
		if (r == 0)
			strv_addf(ret, "%s=%s", name, value);
	}
	return r;
}

static int apply_env(struct applying *a)
{
	struct strv pairs = { 0 };
	json_t *list, *item;
	int r = expand_pairs(a, &pairs);

	for (size_t i = 0; r == 0 && i < pairs.n; i++) {
		r = text_of(a, pairs.items[i], &item);
		json_decref(item);
		strv_env_set(&a->state->scope.env, pairs.items[i]);
		say(a, pairs.items[i]);
	}
	if (r == 0) {
		list = json_from_strv(&a->state->scope.env);
		(void)json_object_set_new(a->config, "Env", list);
	}
	strv_done(&pairs);
	return r;
}

static int apply_label(struct applying *a)
{
	struct strv pairs = { 0 };
	json_t *labels = member(a->config, "Labels", json_object());
	int r = expand_pairs(a, &pairs);

	for (size_t i = 0; r == 0 && i < pairs.n; i++) {
		size_t n = strcspn(pairs.items[i], "=");
		autofree char *name = xstrndup(pairs.items[i], n);
		json_t *value = NULL;

		say(a, pairs.items[i]);
		r = text_of(a, pairs.items[i] + n + 1, &value);
		if (r == 0 && json_object_set_new(labels, name, value) < 0)
			r = error_set(a->err, -EILSEQ, "'%.100s' is not UTF-8", name);
	}
	strv_done(&pairs);
	return r;
}

/* EXPOSE, VOLUME */

static int bad_port(const struct applying *a, const char *text)
{
	return error_set(a->err, -EINVAL,
			 "'%.60s' is no port: expected NUMBER[-NUMBER][/tcp|udp|sctp]", text);
}

/* An address or a port of the host in front is for run to publish: a check says so, and it is
 * passed over here.
 */
static const char *own_port(const char *text)
{
	const char *slash = text + strcspn(text, "/");
	const char *colon = memrchr(text, ':', (size_t)(slash - text));

	return colon ? colon + 1 : text;
}

static int add_ports(struct applying *a, json_t *set, const char *word)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	const char *text = own_port(word);
	size_t n = strcspn(text, "/"), dash = strcspn(text, "-");
	const char *protocol = text[n] ? text + n + 1 : "tcp", *known = NULL;
	autofree char *from = xstrndup(text, MIN(n, dash)), *to = NULL;
	uint64_t first, last;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcasecmp(protocol, protocols[i]) == 0)
			known = protocols[i];
	to = dash < n ? xstrndup(text + dash + 1, n - dash - 1) : xstrdup(from);
	if (!known || number_parse(from, 65535, &first) < 0 || number_parse(to, 65535, &last) < 0 ||
	    first == 0 || last < first)
		return bad_port(a, word);
	for (uint64_t port = first; port <= last; port++) {
		autofree char *key = xasprintf("%u/%s", (unsigned)port, known);

		(void)json_object_set_new(set, key, json_object());
	}
	return 0;
}

static int apply_expose(struct applying *a)
{
	const struct word_scope words = scope_words(&a->state->scope);
	json_t *set = member(a->config, "ExposedPorts", json_object());
	struct strv ports = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->ins->words.n; i++)
		r = word_split(&words, a->ins->words.items[i], &ports, a->err);
	for (size_t i = 0; r == 0 && i < ports.n; i++) {
		say(a, ports.items[i]);
		r = add_ports(a, set, ports.items[i]);
	}
	strv_done(&ports);
	return r;
}

static int apply_volume(struct applying *a)
{
	json_t *set = member(a->config, "Volumes", json_object());
	struct strv paths = { 0 };
	int r = state_expand_words(a->state, &a->ins->words, &paths, a->err);

	for (size_t i = 0; r == 0 && i < paths.n; i++) {
		if (!*paths.items[i])
			r = error_set(a->err, -EINVAL, "a volume's path is empty");
		else if (json_object_set_new(set, paths.items[i], json_object()) < 0)
			r = error_set(a->err, -EILSEQ, "'%.100s' is not UTF-8", paths.items[i]);
		say(a, paths.items[i]);
	}
	strv_done(&paths);
	return r;
}

/* texts */

static int set_text(struct applying *a, json_t *where, const char *key, const char *text)
{
	json_t *value = NULL;
	int r = text_of(a, text, &value);

	if (r == 0)
		(void)json_object_set_new(where, key, value);
	say(a, text);
	return r;
}

static int apply_user(struct applying *a)
{
	autofree char *text = NULL;
	int r = state_expand(a->state, a->ins->rest, &text, a->err);

	return r < 0 ? r : set_text(a, a->config, "User", text);
}

static int apply_stop_signal(struct applying *a)
{
	autofree char *text = NULL;
	int r = state_expand(a->state, a->ins->rest, &text, a->err);

	if (r == 0 && signal_parse(text) < 0)
		r = error_set(a->err, -EINVAL, "unknown signal '%.40s'", text);
	return r < 0 ? r : set_text(a, a->config, "StopSignal", text);
}

static int apply_workdir(struct applying *a)
{
	const char *old = state_text(a->state, "WorkingDir");
	autofree char *text = NULL, *joined = NULL, *clean = NULL;
	int r = state_expand(a->state, a->ins->rest, &text, a->err);

	if (r < 0)
		return r;
	joined = *text == '/' ? xstrdup(text) : xasprintf("/%s/%s", old ? old : "", text);
	clean = path_clean(joined);
	return set_text(a, a->config, "WorkingDir", clean);
}

static int apply_maintainer(struct applying *a)
{
	return set_text(a, a->state->doc, "author", a->ins->rest);
}

static int apply_onbuild(struct applying *a)
{
	json_t *value = NULL;
	int r = text_of(a, a->ins->rest, &value);

	if (r == 0)
		(void)json_array_append_new(member(a->config, "OnBuild", json_array()), value);
	say(a, a->ins->rest);
	return r;
}

/* commands */

static int command_of(struct applying *a, json_t **ret)
{
	struct strv list = { 0 };
	autofree char *text = NULL;

	if (!a->ins->is_exec && a->ins->words.n)
		strv_extend(&list, a->state->shell.items, a->state->shell.n);
	strv_extend(&list, a->ins->words.items, a->ins->words.n);
	*ret = json_from_strv(&list);
	if (json_array_size(*ret) != list.n) {
		json_decref(*ret);
		*ret = NULL;
	}
	strv_done(&list);
	if (!*ret)
		return error_set(a->err, -EILSEQ, "the command is not UTF-8");
	text = json_dumps(*ret, JSON_ENSURE_ASCII);
	say(a, text);
	return 0;
}

static int apply_cmd(struct applying *a)
{
	json_t *command = NULL;
	int r = command_of(a, &command);

	if (r == 0)
		(void)json_object_set_new(a->config, "Cmd", command);
	a->state->has_cmd = true;
	return r;
}

/* The arguments of the image below were for the program below. */
static int apply_entrypoint(struct applying *a)
{
	json_t *command = NULL;
	int r = command_of(a, &command);

	if (r == 0)
		(void)json_object_set_new(a->config, "Entrypoint", command);
	if (r == 0 && !a->state->has_cmd)
		(void)json_object_del(a->config, "Cmd");
	return r;
}

static int apply_shell(struct applying *a)
{
	autofree char *text = NULL;
	json_t *list;

	strv_done(&a->state->shell);
	strv_extend(&a->state->shell, a->ins->words.items, a->ins->words.n);
	list = json_from_strv(&a->state->shell);
	text = json_dumps(list, JSON_ENSURE_ASCII);
	say(a, text);
	(void)json_object_set_new(a->config, "Shell", list);
	return 0;
}

static int apply_health(struct applying *a)
{
	json_t *check = NULL;
	autofree char *text = NULL;
	int r = health_make(a->ins, &check, a->err);

	if (r < 0)
		return r;
	text = json_dumps(check, JSON_COMPACT | JSON_ENSURE_ASCII);
	say(a, text);
	(void)json_object_set_new(a->config, "Healthcheck", check);
	return 0;
}

/* The name alone: a value may be a secret. */
static int apply_arg(struct applying *a)
{
	for (size_t i = 0; i < a->ins->words.n; i++) {
		autofree char *name =
			xstrndup(a->ins->words.items[i], strcspn(a->ins->words.items[i], "="));

		say(a, name);
	}
	return scope_declare(&a->state->scope, a->ins, a->err);
}

int state_apply(struct state *state, const struct instruction *ins, char **ret_said,
		struct error *err)
{
	static int (*const table[N_INSTRUCTIONS])(struct applying *) = {
		[INS_ARG] = apply_arg,
		[INS_CMD] = apply_cmd,
		[INS_ENTRYPOINT] = apply_entrypoint,
		[INS_ENV] = apply_env,
		[INS_EXPOSE] = apply_expose,
		[INS_HEALTHCHECK] = apply_health,
		[INS_LABEL] = apply_label,
		[INS_MAINTAINER] = apply_maintainer,
		[INS_ONBUILD] = apply_onbuild,
		[INS_SHELL] = apply_shell,
		[INS_STOPSIGNAL] = apply_stop_signal,
		[INS_USER] = apply_user,
		[INS_VOLUME] = apply_volume,
		[INS_WORKDIR] = apply_workdir,
	};
	struct buf said = BUF_INIT(SAID_MAX);
	struct applying a = { .state = state, .ins = ins, .said = &said, .err = err };
	int r;

	a.config = member(state->doc, "config", json_object());
	buf_add_str(&said, instruction_word(ins->kind));
	r = table[ins->kind](&a);
	if (r == 0)
		*ret_said = buf_steal(&said);
	buf_done(&said);
	return r;
}

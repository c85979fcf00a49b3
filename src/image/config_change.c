/* src/image/config_change.c */
#include "image/config_change.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strv.h"

#define TEXT_MAX 65536

/* "a 'b c' d=\"e f\"" in words, without their quotes. */
static int split_words(const char *text, struct strv *ret, struct error *err)
{
	autofree char *word = xmalloc(strlen(text) + 1);

	for (;;) {
		size_t len = 0;
		char quote = 0;

		text += strspn(text, " \t");
		if (!*text)
			return 0;
		for (; *text && (quote || !strchr(" \t", *text)); text++) {
			if (*text == quote) {
				quote = 0;
			} else if (!quote && strchr("\"'", *text)) {
				quote = *text;
			} else {
				if (*text == '\\' && quote != '\'' && text[1])
					text++;
				word[len++] = *text;
			}
		}
		if (quote)
			return error_set(err, -EINVAL, "a quote is not closed");
		word[len] = '\0';
		strv_add(ret, word);
	}
}

/* ["a", "b"], or a line for the shell. */
static json_t *command_of(const char *text)
{
	json_t *list = *text == '[' ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (json_is_string(item))
			continue;
		json_decref(list);
		list = NULL;
		break;
	}
	return list ? list : json_pack("[s, s, s]", "/bin/sh", "-c", text);
}

static int set_command(json_t *config, const char *key, const char *text, struct error *err)
{
	(void)err;
	(void)json_object_set_new(config, key, command_of(text));
	/* The old arguments were for the old program. */
	if (strcmp(key, "Entrypoint") == 0)
		(void)json_object_del(config, "Cmd");
	return 0;
}

static int set_text(json_t *config, const char *key, const char *text, struct error *err)
{
	(void)err;
	(void)json_object_set_new(config, key, json_string(text));
	return 0;
}

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

/* "A=b C=d", or of old "A everything else". */
static int read_pairs(const char *text, struct strv *ret, struct error *err)
{
	size_t n = strcspn(text, " \t=");
	int r;

	if (text[n] != '=') {
		const char *value = text + n + strspn(text + n, " \t");

		if (!*value)
			return error_set(err, -EINVAL, "'%.100s' wants NAME=VALUE", text);
		strv_addf(ret, "%.*s=%s", (int)n, text, value);
		return 0;
	}
	r = split_words(text, ret, err);
	for (size_t i = 0; r == 0 && i < ret->n; i++)
		if (!strchr(ret->items[i], '=') || ret->items[i][0] == '=')
			r = error_set(err, -EINVAL, "'%.100s' wants NAME=VALUE", ret->items[i]);
	return r;
}

static int add_env(json_t *config, const char *key, const char *text, struct error *err)
{
	json_t *list = member(config, key, json_array());
	struct strv all = { 0 }, pairs = { 0 };
	const json_t *item;
	size_t i;
	int r = read_pairs(text, &pairs, err);

	json_array_foreach (list, i, item)
		if (json_is_string(item))
			strv_env_set(&all, json_string_value(item));
	for (i = 0; r == 0 && i < pairs.n; i++)
		strv_env_set(&all, pairs.items[i]);
	(void)json_array_clear(list);
	for (i = 0; i < all.n; i++)
		(void)json_array_append_new(list, json_string(all.items[i]));
	strv_done(&pairs);
	strv_done(&all);
	return r;
}

static int add_labels(json_t *config, const char *key, const char *text, struct error *err)
{
	json_t *labels = member(config, key, json_object());
	struct strv pairs = { 0 };
	int r = read_pairs(text, &pairs, err);

	for (size_t i = 0; r == 0 && i < pairs.n; i++) {
		char *value = strchr(pairs.items[i], '=');

		*value++ = '\0';
		(void)json_object_set_new(labels, pairs.items[i], json_string(value));
	}
	strv_done(&pairs);
	return r;
}

/* VOLUME and EXPOSE: sets. */
static int add_set(json_t *config, const char *key, const char *text, struct error *err)
{
	bool ports = strcmp(key, "ExposedPorts") == 0;
	json_t *set = member(config, key, json_object()), *list = NULL;
	struct strv words = { 0 };
	const json_t *item;
	size_t i;
	int r = 0;

	if (*text == '[')
		list = json_loads(text, 0, NULL);
	json_array_foreach (list, i, item)
		if (json_is_string(item))
			strv_add(&words, json_string_value(item));
	if (!list)
		r = split_words(text, &words, err);
	json_decref(list);
	for (i = 0; r == 0 && i < words.n; i++) {
		autofree char *name =
			xasprintf("%s%s", words.items[i],
				  ports && !strchr(words.items[i], '/') ? "/tcp" : "");

		(void)json_object_set_new(set, name, json_object());
	}
	strv_done(&words);
	return r;
}

static int add_line(json_t *config, const char *key, const char *text, struct error *err)
{
	(void)err;
	(void)json_array_append_new(member(config, key, json_array()), json_string(text));
	return 0;
}

static int set_workdir(json_t *config, const char *key, const char *text, struct error *err)
{
	const char *old = json_string_value(json_object_get(config, key));
	autofree char *path =
		*text == '/' ? xstrdup(text) : xasprintf("%s/%s", old && *old ? old : "", text);

	return set_text(config, key, path, err);
}

int config_change(json_t *config, const char *instruction, struct error *err)
{
	static const struct {
		const char *word, *key;
		int (*apply)(json_t *config, const char *key, const char *text, struct error *err);
	} rows[] = {
		{ "CMD", "Cmd", set_command },     { "ENTRYPOINT", "Entrypoint", set_command },
		{ "ENV", "Env", add_env },         { "EXPOSE", "ExposedPorts", add_set },
		{ "LABEL", "Labels", add_labels }, { "ONBUILD", "OnBuild", add_line },
		{ "USER", "User", set_text },      { "STOPSIGNAL", "StopSignal", set_text },
		{ "VOLUME", "Volumes", add_set },  { "WORKDIR", "WorkingDir", set_workdir },
	};
	size_t n = strcspn(instruction, " \t=");
	const char *text = instruction + n + strspn(instruction + n, " \t=");
	cleanup(json_cleanup) json_t *whole = json_string(instruction);

	if (!whole)
		return error_set(err, -EINVAL,
				 "change '%.100s' is not UTF-8, as a config has to be",
				 instruction);
	if (strlen(instruction) > TEXT_MAX)
		return error_set(err, -EINVAL, "change '%.40s...' is too long", instruction);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r;

		if (strncasecmp(rows[i].word, instruction, n) != 0 || rows[i].word[n])
			continue;
		r = *text ? rows[i].apply(config, rows[i].key, text, err)
			  : error_set(err, -EINVAL, "it says nothing");
		return r < 0 ? error_wrap(err, r, "change '%.100s'", instruction) : 0;
	}
	return error_set(err, -EINVAL,
			 "change '%.100s' is none of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
			 "STOPSIGNAL, USER, VOLUME, WORKDIR",
			 instruction);
}

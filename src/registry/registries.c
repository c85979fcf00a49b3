/* src/registry/registries.c */
#include "registry/registries.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "image/reference.h"
#include "registry/toml.h"

#define ENTRIES_MAX    10000
#define SYSTEM_DIR     "/etc/containers"
#define LIST_TEXT_MAX  400
#define DEFAULT_SEARCH "docker.io"

void registries_init(struct registries *r)
{
	*r = (struct registries) { .mode = SHORT_ENFORCING, .aliases = json_object() };
}

static void registry_done(struct registry *e)
{
	free(e->prefix);
	free(e->location);
	for (size_t i = 0; i < e->n; i++)
		free(e->mirrors[i].location);
	free(e->mirrors);
	*e = (struct registry) { .n = 0 };
}

void registries_done(struct registries *r)
{
	for (size_t i = 0; i < r->n; i++)
		registry_done(&r->items[i]);
	free(r->items);
	strv_done(&r->search);
	free(r->search_file);
	json_decref(r->aliases);
	strv_done(&r->warnings);
	*r = (struct registries) { .n = 0 };
}

/* reading */

static void warn_unknown(struct registries *r, const char *what, const char *place,
			 const json_t *table, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)table, key, value) {
		bool found = false;

		for (const char *const *k = known; *k && !found; k++)
			found = strcmp(*k, key) == 0;
		if (!found)
			strv_addf(&r->warnings, "%s: %s%.100s is not known and ignored", what,
				  place, key);
	}
}

/* HOST[:PORT][/PATH], perhaps "*.HOST": no scheme, no tag. */
static bool place_is_valid(const char *text, bool wildcard)
{
	if (wildcard && strncmp(text, "*.", 2) == 0)
		return text[2] && !strchr(text, '/') && !strchr(text + 1, '*');
	return *text && *text != '/' && !strstr(text, "://") &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    ".-_:[]/@") == strlen(text);
}

static enum mirror_use read_use(struct json_reader *rd, const json_t *table)
{
	const char *text = json_read_string(rd, table, "pull-from-mirror", "all");

	if (strcmp(text, "digest-only") == 0)
		return MIRROR_DIGEST_ONLY;
	if (strcmp(text, "tag-only") == 0)
		return MIRROR_TAG_ONLY;
	if (strcmp(text, "all") != 0 && *text)
		json_fail(rd, "pull-from-mirror", "'%.40s' is none of all, digest-only, tag-only",
			  text);
	return MIRROR_ALL;
}

static void read_mirror(struct registries *r, struct json_reader *rd, const char *what,
			const json_t *table, bool digest_only, struct registry *e)
{
	static const char *const known[] = { "location", "insecure", "pull-from-mirror", NULL };
	struct mirror m = {
		.insecure = json_read_bool(rd, table, "insecure", false),
		.use = read_use(rd, table),
	};
	const char *location = json_need_string(rd, table, "location");

	warn_unknown(r, what, "registry.mirror.", table, known);
	if (!place_is_valid(location, false))
		json_fail(rd, "location", "'%.100s' is not HOST[:PORT][/PATH]", location);
	if (digest_only && !json_object_get(table, "pull-from-mirror"))
		m.use = MIRROR_DIGEST_ONLY;
	m.location = xstrdup(location);
	e->mirrors = xrealloc(e->mirrors, e->n + 1, sizeof(*e->mirrors));
	e->mirrors[e->n++] = m;
}

static void put_entry(struct registries *r, struct registry *e)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->items[i].prefix, e->prefix) != 0)
			continue;
		registry_done(&r->items[i]);
		r->items[i] = *e;
		return;
	}
	VEC_GROW(r->items, r->n, r->room);
	r->items[r->n++] = *e;
}

static void read_entry(struct registries *r, struct json_reader *rd, const char *what,
		       const json_t *table)
{
	static const char *const known[] = { "prefix",  "location", "insecure",
					     "blocked", "mirror",   "mirror-by-digest-only",
					     NULL };
	const char *location = json_read_string(rd, table, "location", "");
	const char *prefix = json_read_string(rd, table, "prefix", location);
	bool digest_only = json_read_bool(rd, table, "mirror-by-digest-only", false);
	struct registry e = {
		.insecure = json_read_bool(rd, table, "insecure", false),
		.insecure_given = json_object_get(table, "insecure") != NULL,
		.blocked = json_read_bool(rd, table, "blocked", false),
	};
	const json_t *mirrors = json_read_array(rd, table, "mirror"), *item;
	size_t i;

	warn_unknown(r, what, "registry.", table, known);
	if (!place_is_valid(prefix, true))
		json_fail(rd, "prefix", "'%.100s' is not HOST[:PORT][/PATH] or *.HOST", prefix);
	if (*location && !place_is_valid(location, false))
		json_fail(rd, "location", "'%.100s' is not HOST[:PORT][/PATH]", location);
	e.prefix = xstrdup(prefix);
	e.location = *location ? xstrdup(location) : NULL;
	json_array_foreach (mirrors, i, item)
		read_mirror(r, rd, what, item, digest_only, &e);
	if (rd->r < 0 || r->n >= ENTRIES_MAX)
		registry_done(&e);
	else
		put_entry(r, &e);
}

static void read_mode(struct registries *r, struct json_reader *rd, const json_t *doc)
{
	const char *text = json_read_string(rd, doc, "short-name-mode", NULL);

	if (!text)
		return;
	if (strcmp(text, "enforcing") == 0)
		r->mode = SHORT_ENFORCING;
	else if (strcmp(text, "permissive") == 0)
		r->mode = SHORT_PERMISSIVE;
	else if (strcmp(text, "disabled") == 0)
		r->mode = SHORT_DISABLED;
	else
		json_fail(rd, "short-name-mode",
			  "'%.40s' is none of enforcing, permissive, disabled", text);
}

static void read_aliases(struct registries *r, struct json_reader *rd, json_t *doc)
{
	json_t *aliases = json_read_object(rd, doc, "aliases"), *value;
	const char *key;

	json_object_foreach (aliases, key, value) {
		if (!json_is_string(value))
			json_fail(rd, "aliases", "'%.100s' wants a text", key);
		else
			(void)json_object_set(r->aliases, key, value);
	}
}

static void read_search(struct registries *r, struct json_reader *rd, const char *what,
			const json_t *doc)
{
	struct strv list = { 0 };

	if (!json_object_get(doc, "unqualified-search-registries"))
		return;
	json_read_strings(rd, doc, "unqualified-search-registries", &list);
	for (size_t i = 0; i < list.n; i++)
		if (!place_is_valid(list.items[i], false))
			json_fail(rd, "unqualified-search-registries",
				  "'%.100s' is not HOST[:PORT][/PATH]", list.items[i]);
	strv_done(&r->search);
	r->search = list;
	r->search_given = true;
	free(r->search_file);
	r->search_file = xstrdup(what);
}

int registries_add(struct registries *r, const char *bytes, size_t len, const char *what,
		   struct error *err)
{
	static const char *const known[] = { "unqualified-search-registries",
					     "short-name-mode",
					     "credential-helpers",
					     "additional-layer-store-auth-helper",
					     "registry",
					     "aliases",
					     NULL };
	cleanup(json_cleanup) json_t *doc = NULL;
	const json_t *list, *item;
	struct json_reader rd;
	size_t i;
	int got = toml_parse(bytes, len, what, &doc, err);

	if (got < 0)
		return got;
	json_reader_init(&rd, what, err);
	if (json_object_get(doc, "registries"))
		return error_set(err, -EBADMSG,
				 "%s: [registries.*] is the old form of this file; write "
				 "[[registry]] and unqualified-search-registries",
				 what);
	warn_unknown(r, what, "", doc, known);
	read_search(r, &rd, what, doc);
	read_mode(r, &rd, doc);
	read_aliases(r, &rd, doc);
	list = json_read_array(&rd, doc, "registry");
	json_array_foreach (list, i, item) {
		struct json_place place = json_enter(&rd, "registry");

		(void)json_enter_index(&rd, i);
		if (json_is_object(item))
			read_entry(r, &rd, what, item);
		else
			json_fail(&rd, NULL, "expected a table");
		json_leave(&rd, place);
	}
	return rd.r;
}

static int add_file(struct registries *r, const char *path, bool must, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int got = file_read_at(AT_FDCWD, path, TOML_SIZE_MAX, &text, &len, err);

	if (got < 0)
		return got == -ENOENT && !must ? 0 : got;
	return registries_add(r, text, len, path, err);
}

static int is_conf(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 && strcmp(e->d_name + len - 5, ".conf") == 0;
}

static int add_dir(struct registries *r, const char *dir, struct error *err)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_conf, alphasort), got = 0;

	for (int i = 0; i < n; i++) {
		autofree char *path = xasprintf("%s/%s", dir, list[i]->d_name);

		if (got == 0)
			got = add_file(r, path, true, err);
		free(list[i]);
	}
	free(list);
	return got;
}

int registries_load(struct registries *r, const char *path, struct error *err)
{
	const char *home = getenv("HOME"), *from_env = getenv("CONTAINERS_REGISTRIES_CONF");
	autofree char *user_dir = home && *home ? xasprintf("%s/.config/containers", home) : NULL;
	autofree char *user = user_dir ? xasprintf("%s/registries.conf", user_dir) : NULL;
	autofree char *user_d = user_dir ? xasprintf("%s/registries.conf.d", user_dir) : NULL;
	int got;

	if (!path && from_env && *from_env)
		path = from_env;
	/* One that is named stands alone: what it says can be relied on. */
	if (path)
		return add_file(r, path, true, err);
	if (user && access(user, F_OK) == 0)
		got = add_file(r, user, true, err);
	else
		got = add_file(r, SYSTEM_DIR "/registries.conf", false, err);
	if (got == 0)
		got = add_dir(r, SYSTEM_DIR "/registries.conf.d", err);
	if (got == 0 && user_d)
		got = add_dir(r, user_d, err);
	return got;
}

/* finding */

/* How many bytes of name the prefix covers; 0 if it does not. */
static size_t prefix_covers(const char *prefix, const char *name)
{
	size_t len = strlen(prefix), host = strcspn(name, "/");

	if (strncmp(prefix, "*.", 2) == 0) {
		size_t tail = len - 1;

		return host > tail && strncmp(name + host - tail, prefix + 1, tail) == 0 ? host : 0;
	}
	if (strncmp(prefix, name, len) != 0)
		return 0;
	/* "quay.io" is not "quay.io:5000"; behind a path a tag may follow. */
	if (name[len] == '\0' || name[len] == '/')
		return len;
	return strchr(prefix, '/') && (name[len] == ':' || name[len] == '@') ? len : 0;
}

const struct registry *registries_find(const struct registries *r, const char *name)
{
	const struct registry *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct registry *e = &r->items[i];
		size_t len = strlen(e->prefix);

		if (prefix_covers(e->prefix, name) == 0)
			continue;
		/* A wildcard is never longer than what it matches, so that names win. */
		if (!best || len > best_len) {
			best = e;
			best_len = len;
		}
	}
	return best;
}

char *registry_rewrite(const struct registry *entry, const char *location, const char *name)
{
	return xasprintf("%s%s", location, name + prefix_covers(entry->prefix, name));
}

/* short names */

bool name_is_short(const char *typed)
{
	const char *slash = strchr(typed, '/');
	autofree char *first = slash ? xstrndup(typed, (size_t)(slash - typed)) : NULL;

	return !first || (!strpbrk(first, ".:") && strcmp(first, "localhost") != 0);
}

static int expand_alias(const struct registries *r, const char *typed, struct strv *ret,
			struct error *err)
{
	size_t len = strcspn(typed, ":@");
	autofree char *key = xstrndup(typed, len), *name = NULL;
	const char *value = json_string_value(json_object_get(r->aliases, key));
	char canonical[REFERENCE_MAX];
	int got;

	if (!value)
		return 0;
	if (!*value)
		return error_set(err, -ENOENT, "the short name '%.100s' has been switched off",
				 key);
	name = xasprintf("%s%s", value, typed + len);
	if (name_is_short(value))
		return error_set(err, -EINVAL,
				 "the alias '%.100s' means '%.100s', which is short, too", key,
				 value);
	got = reference_canonical(name, canonical, err);
	if (got < 0)
		return error_wrap(err, got, "alias %.100s", key);
	strv_add(ret, canonical);
	return 1;
}

static int too_many(const struct registries *r, const char *typed, const struct strv *names,
		    struct error *err)
{
	struct buf b = BUF_INIT(LIST_TEXT_MAX);
	int got;

	for (size_t i = 0; i < names->n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", names->items[i]);
	got = error_set(err, -ENOTUNIQ,
			"'%.100s' may mean %s (unqualified-search-registries of %s): type one of "
			"them, or make it an alias",
			typed, buf_text(&b), r->search_file);
	buf_done(&b);
	return got;
}

int registries_expand(const struct registries *r, const char *typed, struct strv *ret,
		      struct error *err)
{
	int got = expand_alias(r, typed, ret, err);

	if (got != 0)
		return got < 0 ? got : 0;
	if (r->search_given && r->search.n == 0)
		return error_set(err, -ENOENT,
				 "'%.100s' names no registry and %s lists none to search: type the "
				 "whole name, such as docker.io/library/%.100s",
				 typed, r->search_file, typed);
	for (size_t i = 0; i < MAX(r->search.n, 1); i++) {
		autofree char *name = xasprintf(
			"%s/%s", r->search.n ? r->search.items[i] : DEFAULT_SEARCH, typed);
		char canonical[REFERENCE_MAX];

		got = reference_canonical(name, canonical, err);
		if (got < 0)
			return got;
		strv_add(ret, canonical);
	}
	/* Several places to search are a question, not an answer. */
	return ret->n > 1 && r->mode != SHORT_DISABLED ? too_many(r, typed, ret, err) : 0;
}

/* src/builder/git_source.c */
#include "builder/git_source.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/macros.h"
#include "builder/ignore.h"

#define URL_MAX    8192
#define COMMIT_MIN 7
#define COMMIT_MAX 64

static bool starts(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

bool url_is_http(const char *text)
{
	return starts(text, "http://") || starts(text, "https://");
}

/* Where the path of "scheme://host/path" starts: its slash, or the end. */
static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return host + strcspn(host, "/?#");
}

static int hex_of(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a') + 10;
}

/* "%20" to a blank; what is no such thing stays. */
static char *decoded(const char *text, size_t len)
{
	char *out = xstrndup(text, len), *to = out;

	for (const char *p = out; *p; p++) {
		if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
		    (p[1] != '0' || p[2] != '0')) {
			*to++ = (char)(hex_of(p[1]) * 16 + hex_of(p[2]));
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return out;
}

char *url_file_name(const char *url)
{
	const char *path = path_of(url), *end = path + strcspn(path, "?#"), *from = end;
	autofree char *name = NULL;

	while (from > path && from[-1] != '/')
		from--;
	name = decoded(from, (size_t)(end - from));
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
		return NULL;
	return steal_ptr(&name);
}

char *url_host(const char *url)
{
	const char *host = strstr(url, "://"), *end = path_of(url), *at;

	host = host ? host + 3 : url;
	at = memrchr(host, '@', (size_t)(end - host));
	if (at)
		host = at + 1;
	return xstrndup(host, (size_t)(end - host));
}

char *url_shown(const char *url)
{
	const char *host = strstr(url, "://"), *end = path_of(url), *at;

	if (!host)
		return xstrdup(url);
	host += 3;
	at = memrchr(host, '@', (size_t)(end - host));
	return at ? xasprintf("%.*s%s", (int)(host - url), url, at + 1) : xstrdup(url);
}

/* which transport */

/* "user@host:path", as ssh and scp have it. */
static bool is_scp(const char *text)
{
	size_t user =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
	size_t host;

	if (user == 0 || text[user] != '@' || text[0] == '-' || text[user + 1] == '-')
		return false;
	host = strspn(text + user + 1,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
	return host > 0 && text[user + 1 + host] == ':' && text[user + 2 + host] &&
	       strncmp(text + user + 1 + host, "://", 3) != 0;
}

static bool ends_git(const char *from, size_t len)
{
	while (len > 0 && from[len - 1] == '/')
		len--;
	return len > 4 && strncasecmp(from + len - 4, ".git", 4) == 0;
}

static bool find_transport(const char *text, enum git_transport *ret)
{
	static const struct {
		const char *start;
		enum git_transport transport;
	} known[] = { { "git://", GIT_DAEMON }, { "ssh://", GIT_SSH }, { "file://", GIT_FILE } };
	const char *path = path_of(text);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!starts(text, known[i].start))
			continue;
		*ret = known[i].transport;
		return true;
	}
	*ret = is_scp(text) ? GIT_SSH : GIT_HTTP;
	return *ret == GIT_SSH || (url_is_http(text) && ends_git(path, strcspn(path, "?#")));
}

/* what is wanted */

static bool is_commit(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return !text[len] && len >= COMMIT_MIN && len <= COMMIT_MAX;
}

/* git takes a name that starts with a dash for an option; the rest is what git allows in none. */
static bool is_ref(const char *text)
{
	if (!*text || *text == '-' || *text == '+' || strstr(text, "..") || strlen(text) > 1024)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || strchr("~^:?*[\\\x7f", *text))
			return false;
	return true;
}

static int set_ref(struct git_source *s, const char *value, struct error *err)
{
	if (!*value)
		return 0;
	if (!is_ref(value))
		return error_set(err, -EINVAL, "'%.100s' is no branch, tag or commit", value);
	free(s->ref);
	s->ref = xstrdup(value);
	return 0;
}

static int set_dir(struct git_source *s, const char *value, struct error *err)
{
	autofree char *rooted = xasprintf("/%s", value);
	autofree char *clean = path_clean(rooted);

	(void)err;
	free(s->dir);
	s->dir = clean[1] ? xstrdup(clean + 1) : NULL;
	return 0;
}

static int set_commit(struct git_source *s, const char *value, struct error *err)
{
	if (!is_commit(value))
		return error_set(err, -EINVAL, "'%.100s' is no commit, nor the start of one",
				 value);
	free(s->commit);
	s->commit = xstrdup(value);
	return 0;
}

static int read_bool(const char *value, bool *ret, struct error *err)
{
	static const struct {
		const char *word;
		bool is;
	} words[] = {
		{ "", true }, { "1", true }, { "true", true }, { "0", false }, { "false", false }
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, value) != 0)
			continue;
		*ret = words[i].is;
		return 0;
	}
	return error_set(err, -EINVAL, "'%.40s' is neither true nor false", value);
}

static int set_keep(struct git_source *s, const char *value, struct error *err)
{
	return read_bool(value, &s->keeps_git_dir, err);
}

static int set_submodules(struct git_source *s, const char *value, struct error *err)
{
	bool wanted = true;
	int r = read_bool(value, &wanted, err);

	s->no_submodules = !wanted;
	return r;
}

static int set_one(struct git_source *s, const char *name, const char *value, struct error *err)
{
	static const struct {
		const char *name;
		int (*set)(struct git_source *s, const char *value, struct error *err);
	} keys[] = {
		{ "ref", set_ref },           { "branch", set_ref },
		{ "tag", set_ref },           { "subdir", set_dir },
		{ "commit", set_commit },     { "checksum", set_commit },
		{ "keep-git-dir", set_keep }, { "submodules", set_submodules },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].set(s, value, err);
	return error_set(
		err, -EINVAL,
		"a git URL has no '%.40s': ref, branch, tag, commit, subdir, keep-git-dir, "
		"submodules",
		name);
}

static int read_query(struct git_source *s, const char *query, size_t len, struct error *err)
{
	autofree char *copy = xstrndup(query, len);
	char *rest = copy, *pair;
	int r = 0;

	while (r == 0 && (pair = strsep(&rest, "&"))) {
		size_t n = strcspn(pair, "=");
		autofree char *name = decoded(pair, n);
		autofree char *value =
			pair[n] ? decoded(pair + n + 1, strlen(pair + n + 1)) : xstrdup("");

		if (*pair)
			r = set_one(s, name, value, err);
	}
	return r;
}

/* "REF:DIR", either may be missing. */
static int read_fragment(struct git_source *s, const char *fragment, struct error *err)
{
	size_t n = strcspn(fragment, ":");
	autofree char *ref = xstrndup(fragment, n);
	int r = set_ref(s, ref, err);

	return r == 0 && fragment[n] ? set_dir(s, fragment + n + 1, err) : r;
}

static int read_all(struct git_source *s, const char *text, struct error *err)
{
	size_t url = strcspn(text, "#"), query = url;
	int r = 0;

	if (!is_scp(text))
		query = strcspn(text, "?#");
	if (query < url && text[query] == '?')
		r = read_query(s, text + query + 1, url - query - 1, err);
	if (r == 0 && text[url])
		r = read_fragment(s, text + url + 1, err);
	s->url = xstrndup(text, query);
	for (const char *p = s->url; r == 0 && *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			r = error_set(err, -EINVAL, "there is a blank in it");
	if (r == 0 && s->transport != GIT_FILE && !is_scp(text) &&
	    strchr("-:/?#", strstr(text, "://")[3]))
		r = error_set(err, -EINVAL, "it names no host");
	return r;
}

int git_source_parse(const char *text, struct git_source *ret, struct error *err)
{
	struct git_source s = { .url = NULL };
	autofree char *shown = NULL;
	int r;

	if (strlen(text) > URL_MAX || !find_transport(text, &s.transport))
		return 1;
	r = read_all(&s, text, err);
	if (r < 0) {
		shown = url_shown(text);
		git_source_done(&s);
		return error_wrap(err, r, "%.200s", shown);
	}
	*ret = s;
	return 0;
}

void git_source_done(struct git_source *s)
{
	free(s->url);
	free(s->ref);
	free(s->dir);
	free(s->commit);
	*s = (struct git_source) { .url = NULL };
}

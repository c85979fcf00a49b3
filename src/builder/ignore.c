/* src/builder/ignore.c */
#include "builder/ignore.h"

#include <string.h>

#include "base/alloc.h"
#include "builder/pattern.h"

#define RULES_MAX 10000

struct ignore_rule {
	struct pattern pattern;
	char *text;
	size_t fixed; /* length of what stands before its first special character */
	bool takes_back;
};

char *path_clean(const char *path)
{
	bool rooted = *path == '/';
	char *out = xmalloc(strlen(path) + 2);
	size_t len = 0, floor;

	if (rooted)
		out[len++] = '/';
	floor = len;
	while (*path) {
		size_t n = strcspn(path, "/");
		bool up = n == 2 && memcmp(path, "..", 2) == 0;

		if (up && len > floor) {
			while (len > floor && out[--len] != '/')
				;
			len += rooted && len == 0;
		} else if (n > 0 && !(n == 1 && *path == '.') && !(up && rooted)) {
			if (len > (size_t)rooted)
				out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
			if (up)
				floor = len;
		}
		path += n + (path[n] == '/');
	}
	if (len == 0)
		out[len++] = '.';
	out[len] = '\0';
	return out;
}

static char *trimmed(const char *from, size_t len)
{
	while (len > 0 && strchr(" \t\r\v\f", *from)) {
		from++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\v\f", from[len - 1]))
		len--;
	return xstrndup(from, len);
}

static int add_rule(struct ignore *ignore, const char *text, bool takes_back, struct error *err)
{
	autofree char *clean = path_clean(text);
	const char *path = clean[0] == '/' && clean[1] ? clean + 1 : clean;
	struct ignore_rule rule = { .takes_back = takes_back };
	int r;

	if (ignore->n >= RULES_MAX)
		return error_set(err, -E2BIG, "more than %d patterns", RULES_MAX);
	r = pattern_parse(path, PATTERN_DEEP, &rule.pattern, err);
	if (r < 0)
		return r;
	rule.text = xstrdup(path);
	rule.fixed = strcspn(path, "*?[\\");
	VEC_GROW(ignore->rules, ignore->n, ignore->room);
	ignore->rules[ignore->n++] = rule;
	return 0;
}

int ignore_add(struct ignore *ignore, const char *line, struct error *err)
{
	autofree char *text = trimmed(line, strlen(line)), *rest = NULL;

	if (!*text)
		return 0;
	if (*text != '!')
		return add_rule(ignore, text, false, err);
	rest = trimmed(text + 1, strlen(text + 1));
	if (!*rest)
		return error_set(err, -EINVAL,
				 "'!' takes back nothing; a pattern belongs behind it");
	return add_rule(ignore, rest, true, err);
}

int ignore_parse(const char *bytes, size_t len, struct ignore *ret, struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct ignore ignore = { NULL, 0, 0 };
	const char *end = bytes + len;
	int r = 0;

	if (memchr(bytes, '\0', len))
		return error_set(err, -EINVAL, "it holds a NUL byte");
	if (len >= 3 && memcmp(bytes, mark, 3) == 0)
		bytes += 3;
	for (unsigned number = 1; r == 0 && bytes < end; number++) {
		const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t n = (size_t)((stop ? stop : end) - bytes);
		autofree char *line = xstrndup(bytes, n);

		if (*line != '#')
			r = ignore_add(&ignore, line, err);
		if (r < 0)
			r = error_wrap(err, r, "line %u", number);
		bytes += n + 1;
	}
	if (r < 0) {
		ignore_done(&ignore);
		return r;
	}
	*ret = ignore;
	return 0;
}

void ignore_done(struct ignore *ignore)
{
	for (size_t i = 0; i < ignore->n; i++) {
		pattern_done(&ignore->rules[i].pattern);
		free(ignore->rules[i].text);
	}
	free(ignore->rules);
	*ignore = (struct ignore) { NULL, 0, 0 };
}

/* The path, or a directory above it. */
static bool holds(const struct ignore_rule *rule, const char *path)
{
	const char *slash = path;

	if (strncmp(rule->text, path, MIN(rule->fixed, strlen(path))) != 0)
		return false;
	while ((slash = strchr(slash, '/'))) {
		if (pattern_matches(&rule->pattern, path, (size_t)(slash - path)))
			return true;
		slash++;
	}
	return pattern_matches(&rule->pattern, path, strlen(path));
}

bool ignore_matches(const struct ignore *ignore, const char *path)
{
	bool matched = false;

	for (size_t i = 0; i < ignore->n; i++)
		if (ignore->rules[i].takes_back == matched && holds(&ignore->rules[i], path))
			matched = !matched;
	return matched;
}

bool ignore_skips(const struct ignore *ignore, const char *dir)
{
	size_t len = strlen(dir);

	if (!ignore_matches(ignore, dir))
		return false;
	for (size_t i = 0; i < ignore->n; i++) {
		const struct ignore_rule *rule = &ignore->rules[i];
		size_t common = MIN(rule->fixed, len);

		if (rule->takes_back && strncmp(rule->text, dir, common) == 0 &&
		    (rule->fixed <= len || rule->text[len] == '/'))
			return false;
	}
	return true;
}

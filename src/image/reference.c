/* src/image/reference.c */
#include "image/reference.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define DEFAULT_DOMAIN "docker.io"
#define DEFAULT_PATH   "library/"
#define DEFAULT_TAG    "latest"
#define PATH_MAX_LEN   255
#define TAG_MAX_LEN    128

bool digest_is_valid(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 && strlen(text + 7) == 64 &&
	       strspn(text + 7, "0123456789abcdef") == 64;
}

bool digest512_is_valid(const char *text)
{
	return strncmp(text, "sha512:", 7) == 0 && strlen(text + 7) == 128 &&
	       strspn(text + 7, "0123456789abcdef") == 128;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower-case words joined by ".", "_", "__" or any number of "-"; components by "/". */
static bool path_is_valid(const char *p)
{
	bool start = true;

	if (!*p || strlen(p) > PATH_MAX_LEN)
		return false;
	for (; *p; p++) {
		if (is_word(*p)) {
			start = false;
			continue;
		}
		if (start || !is_word(p[1])) {
			bool run = !start && (*p == '-' || *p == '_') && p[1] == *p;

			if (!run || (*p == '_' && p[2] == '_'))
				return false;
		}
		if (!strchr("._-/", *p))
			return false;
		start = *p == '/';
	}
	return !start;
}

static bool tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	return len > 0 && len <= TAG_MAX_LEN && tag[0] != '.' && tag[0] != '-' &&
	       strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

static bool domain_is_valid(const char *domain)
{
	size_t len = strlen(domain);

	return len > 0 && len <= PATH_MAX_LEN && domain[0] != '.' && domain[0] != '-' &&
	       strspn(domain,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == len;
}

/* The first component is a registry if it could be no path: it has a dot or a port, or is
 * localhost. */
static char *split_domain(char *text, const char **ret_domain)
{
	char *slash = strchr(text, '/');

	*ret_domain = DEFAULT_DOMAIN;
	if (!slash)
		return text;
	*slash = '\0';
	if (strpbrk(text, ".:") || strcmp(text, "localhost") == 0) {
		*ret_domain = strcmp(text, "index.docker.io") == 0 ? DEFAULT_DOMAIN : text;
		return slash + 1;
	}
	*slash = '/';
	return text;
}

/* What a registry may go by; the store's own digests are sha256. */
static bool digest_can_name(const char *text)
{
	return digest_is_valid(text) || digest512_is_valid(text);
}

int reference_canonical(const char *text, char ret[REFERENCE_MAX], struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *digest, *path, *tag;
	const char *domain, *library;
	int n;

	if (strlen(text) >= REFERENCE_MAX)
		return error_set(err, -EINVAL, "image name '%.60s...' is too long", text);
	digest = strchr(copy, '@');
	if (digest)
		*digest++ = '\0';
	path = split_domain(copy, &domain);
	tag = strchr(path, ':');
	if (tag)
		*tag++ = '\0';
	library = strcmp(domain, DEFAULT_DOMAIN) == 0 && !strchr(path, '/') ? DEFAULT_PATH : "";
	if (!path_is_valid(path) || strlen(library) + strlen(path) > PATH_MAX_LEN ||
	    !domain_is_valid(domain) || (tag && !tag_is_valid(tag)) ||
	    (digest && !digest_can_name(digest)))
		return error_set(err, -EINVAL,
				 "'%s' is not an image name: [REGISTRY/]NAME[:TAG][@sha256:HEX], "
				 "NAME in lower case",
				 text);
	n = snprintf(ret, REFERENCE_MAX, "%s/%s%s%s%s%s%s", domain, library, path,
		     tag || !digest ? ":" : "",
		     tag      ? tag
		     : digest ? ""
			      : DEFAULT_TAG,
		     digest ? "@" : "", digest ? digest : "");
	return n < REFERENCE_MAX
		       ? 0
		       : error_set(err, -EINVAL, "image name '%.60s...' is too long", text);
}

/* Only what a reader would put back is left out: docker.io/library/a/b is not a/b. */
void reference_familiar(const char *canonical, char ret[REFERENCE_MAX])
{
	static const char *const defaults[] = { DEFAULT_DOMAIN "/" DEFAULT_PATH,
						DEFAULT_DOMAIN "/" };

	/* By far most: what has no further "/" is read with the same two in front. */
	if (strncmp(canonical, defaults[0], strlen(defaults[0])) == 0 &&
	    !strchr(canonical + strlen(defaults[0]), '/')) {
		(void)snprintf(ret, REFERENCE_MAX, "%s", canonical + strlen(defaults[0]));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		size_t len = strlen(defaults[i]);
		char back[REFERENCE_MAX];

		if (strncmp(canonical, defaults[i], len) != 0 ||
		    reference_canonical(canonical + len, back, NULL) < 0 ||
		    strcmp(back, canonical) != 0)
			continue;
		(void)snprintf(ret, REFERENCE_MAX, "%s", canonical + len);
		return;
	}
	(void)snprintf(ret, REFERENCE_MAX, "%s", canonical);
}

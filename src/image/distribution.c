/* src/image/distribution.c */
#include "image/distribution.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/walk.h"
#include "kernel/overlay.h"

#define RELEASE_BYTES_MAX  (64U << 10)
#define PACKAGES_BYTES_MAX (64U << 20) /* a whole desktop's status file has 10 MiB */
#define PACKAGES_MAX       200000
#define VALUE_MAX          200

void distribution_done(struct distribution *d)
{
	free(d->id);
	free(d->version);
	free(d->pretty);
	*d = (struct distribution) { .id = NULL };
}

/* VALUE, 'VALUE' or "VALUE" with backslashes; what is not printable goes. */
static char *unquote(const char *text, size_t len)
{
	char *value = xcalloc(VALUE_MAX + 1, 1);
	char quote = len > 0 && (text[0] == '"' || text[0] == '\'') ? text[0] : '\0';
	size_t n = 0;

	for (size_t i = quote ? 1 : 0; i < len && n < VALUE_MAX; i++) {
		if (quote && text[i] == quote)
			break;
		if (quote == '"' && text[i] == '\\' && i + 1 < len)
			i++;
		if ((unsigned char)text[i] >= ' ' && text[i] != 0x7f)
			value[n++] = text[i];
	}
	return value;
}

static void take(char **field, const char *value, size_t len)
{
	free(*field);
	*field = unquote(value, len);
	if (!(*field)[0]) {
		free(*field);
		*field = NULL;
	}
}

void distribution_parse(const char *text, struct distribution *ret)
{
	struct distribution d = { .id = NULL };
	const struct {
		const char *key;
		char **field;
	} fields[] = { { "ID=", &d.id },
		       { "VERSION_ID=", &d.version },
		       { "PRETTY_NAME=", &d.pretty } };

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
			size_t key = strlen(fields[i].key);

			if (len >= key && strncmp(line, fields[i].key, key) == 0)
				take(fields[i].field, line + key, len - key);
		}
		line += len + (line[len] == '\n');
	}
	*ret = d;
}

static int read_inside(int view, const char *path, size_t max, char **ret)
{
	autoclose int fd = overlay_open(view, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	return file_read_fd(fd, path, max, ret, NULL, NULL);
}

static bool read_release(int view, const char *path, struct distribution *ret)
{
	struct distribution d = { .id = NULL };
	autofree char *text = NULL;

	if (read_inside(view, path, RELEASE_BYTES_MAX, &text) < 0)
		return false;
	distribution_parse(text, &d);
	if (!d.id) {
		distribution_done(&d);
		return false;
	}
	*ret = d;
	return true;
}

void distribution_read(int view, struct distribution *ret)
{
	static const char *const places[] = { "etc/os-release", "usr/lib/os-release" };

	*ret = (struct distribution) { .id = NULL };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (read_release(view, places[i], ret))
			return;
}

char *distribution_text(const struct distribution *d)
{
	if (!d->id)
		return xstrdup("none");
	return xasprintf("%s%s%s", d->id, d->version ? " " : "", d->version ? d->version : "");
}

/* packages */

void packages_done(struct packages *p)
{
	strv_done(&p->names);
}

struct paragraph {
	char *name, *version;
	bool gone; /* removed, its configuration is left */
};

static void paragraph_end(struct paragraph *p, struct strv *ret)
{
	if (p->name && !p->gone && ret->n < PACKAGES_MAX)
		strv_addf(ret, "%s%s%s", p->name, p->version ? " " : "",
			  p->version ? p->version : "");
	free(p->name);
	free(p->version);
	*p = (struct paragraph) { .name = NULL };
}

struct keys {
	const char *name, *version, *status;
};

static bool value_of(const char *line, size_t len, const char *key, const char **ret,
		     size_t *ret_len)
{
	size_t n = strlen(key);

	if (n == 0 || len < n || strncmp(line, key, n) != 0)
		return false;
	*ret = line + n;
	*ret_len = len - n;
	while (*ret_len > 0 && **ret == ' ') {
		(*ret)++;
		(*ret_len)--;
	}
	return true;
}

static bool says_installed(const char *value, size_t len)
{
	static const char word[] = "installed";
	size_t n = sizeof(word) - 1;

	return len >= n && strncmp(value + len - n, word, n) == 0 &&
	       (len == n || value[len - n - 1] == ' ');
}

static void parse_paragraphs(const char *text, const struct keys *keys, struct strv *ret)
{
	struct paragraph p = { .name = NULL };

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), n;
		const char *value;

		if (len == 0)
			paragraph_end(&p, ret);
		else if (value_of(line, len, keys->name, &value, &n))
			take(&p.name, value, n);
		else if (value_of(line, len, keys->version, &value, &n))
			take(&p.version, value, n);
		else if (value_of(line, len, keys->status, &value, &n))
			p.gone = !says_installed(value, n);
		line += len + (line[len] == '\n');
	}
	paragraph_end(&p, ret);
}

void packages_parse_dpkg(const char *text, struct strv *ret)
{
	static const struct keys keys = { "Package:", "Version:", "Status:" };

	parse_paragraphs(text, &keys, ret);
}

void packages_parse_apk(const char *text, struct strv *ret)
{
	static const struct keys keys = { "P:", "V:", "" };

	parse_paragraphs(text, &keys, ret);
}

/* Distroless images have a file for each package here; *.md5sums lie beside them. */
static int read_status_file(void *data, const struct walk_entry *e, struct error *err)
{
	autofree char *text = NULL;
	const char *dot = strrchr(e->name, '.');

	(void)err;
	if (!S_ISREG(e->st.st_mode) || (dot && strcmp(dot, ".md5sums") == 0))
		return 0;
	if (read_inside(e->dir, e->name, RELEASE_BYTES_MAX, &text) == 0)
		packages_parse_dpkg(text, data);
	return 0;
}

static bool read_dpkg(int view, struct packages *ret)
{
	autofree char *text = NULL;
	autoclose int dir = overlay_open(view, "var/lib/dpkg/status.d", O_RDONLY | O_DIRECTORY);

	if (read_inside(view, "var/lib/dpkg/status", PACKAGES_BYTES_MAX, &text) == 0)
		packages_parse_dpkg(text, &ret->names);
	if (dir >= 0)
		ignore_result(walk_tree(dir, read_status_file, NULL, &ret->names, NULL));
	return text || dir >= 0;
}

static bool read_apk(int view, struct packages *ret)
{
	static const char *const places[] = { "lib/apk/db/installed", "usr/lib/apk/db/installed" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		autofree char *text = NULL;

		if (read_inside(view, places[i], PACKAGES_BYTES_MAX, &text) < 0)
			continue;
		packages_parse_apk(text, &ret->names);
		return true;
	}
	return false;
}

static bool has_rpm(int view)
{
	static const char *const places[] = { "var/lib/rpm/rpmdb.sqlite",
					      "usr/lib/sysimage/rpm/rpmdb.sqlite",
					      "var/lib/rpm/Packages" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		autoclose int fd = overlay_open(view, places[i], O_PATH);

		if (fd >= 0)
			return true;
	}
	return false;
}

void packages_read(int view, struct packages *ret)
{
	*ret = (struct packages) { .manager = NULL };
	if (read_dpkg(view, ret))
		ret->manager = "dpkg";
	else if (read_apk(view, ret))
		ret->manager = "apk";
	else if (has_rpm(view))
		ret->manager = "rpm";
}

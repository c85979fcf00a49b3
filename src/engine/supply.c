/* src/engine/supply.c */
#include "engine/supply.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "kernel/overlay.h"

#define NAMES_MAX   200
#define PASSWD_TEXT "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"
#define GROUP_TEXT  "root:x:0:\nnogroup:x:65534:\n"

struct bind {
	const char *from[4]; /* the first that the host has */
	const char *to;
};

struct supply {
	const char *name, *what;
	const char *probe[3]; /* inside; any of them there: it is not lacking */
	const char *words[8]; /* of programs that miss it; in any case */
	struct bind binds[3];
};

#define BUNDLES                                                                                    \
	{                                                                                          \
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",          \
			"/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"                              \
	}

static const struct supply supplies[] = {
	{ .name = "ca-certificates",
	  .what = "certificates of authorities",
	  .probe = { "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
		     "/etc/pki/tls/certs/ca-bundle.crt" },
	  .words = { "certificate", "x509", "cafile", "issuer", "/etc/ssl", "ca-bundle" },
	  .binds = { { BUNDLES, "/etc/ssl/certs/ca-certificates.crt" },
		     { BUNDLES, "/etc/ssl/cert.pem" },
		     { BUNDLES, "/etc/pki/tls/certs/ca-bundle.crt" } } },
	{ .name = "tzdata",
	  .what = "time zones",
	  .probe = { "/usr/share/zoneinfo" },
	  .words = { "time zone", "timezone", "zoneinfo", "tzdata", "/etc/localtime" },
	  .binds = { { { "/usr/share/zoneinfo" }, "/usr/share/zoneinfo" } } },
	{ .name = "passwd",
	  .what = "names of users",
	  .probe = { "/etc/passwd" },
	  .words = { "/etc/passwd", "/etc/group", "unknown user", "unknown uid", "no such user",
		     "getpw", "unknown group", "userid" } },
	{ .name = "tmp",
	  .what = "/tmp",
	  .probe = { "/tmp" },
	  .words = { "/tmp", "temporary file", "temporary directory", "temp file", "mkstemp",
		     "tmpfile" } },
	{ .name = "resolver",
	  .what = "resolver files",
	  .probe = { "/etc/resolv.conf" },
	  .words = { "resolv", "lookup ", "name or service", "name resolution", "bad address",
		     "could not resolve", "unknown host", "getaddrinfo" } },
};

static const struct supply *supply_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(supplies); i++)
		if (strlen(supplies[i].name) == len && memcmp(supplies[i].name, name, len) == 0)
			return &supplies[i];
	return NULL;
}

bool supply_is_asked(const struct strv *lists, const char *name)
{
	for (size_t i = 0; i < lists->n; i++) {
		const char *p = lists->items[i];

		for (; *p; p += strcspn(p, ","), p += *p == ',')
			if (strcspn(p, ",") == strlen(name) && strncmp(p, name, strlen(name)) == 0)
				return true;
	}
	return false;
}

int supply_check(const struct strv *lists, struct error *err)
{
	for (size_t i = 0; i < lists->n; i++) {
		for (const char *p = lists->items[i]; *p;) {
			size_t len = strcspn(p, ",");

			if (!supply_find(p, len)) {
				struct buf names = BUF_INIT(NAMES_MAX);
				int r;

				for (size_t k = 0; k < ARRAY_SIZE(supplies); k++)
					buf_addf(&names, "%s%s", k ? ", " : "", supplies[k].name);
				r = error_set(err, -EINVAL, "--with knows %s; not '%.*s'",
					      buf_text(&names), (int)MIN(len, 100), p);
				buf_done(&names);
				return r;
			}
			p += len + (p[len] == ',');
		}
	}
	return 0;
}

static void add_bind(json_t *mounts, const char *from, const char *to)
{
	(void)json_array_append_new(mounts,
				    json_pack("{s:s, s:s, s:s, s:[s, s, s, s]}", "destination", to,
					      "type", "bind", "source", from, "options", "bind",
					      "ro", "nosuid", "nodev"));
}

static int add_binds(const struct supply *s, json_t *mounts, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->binds) && s->binds[i].to; i++) {
		const struct bind *b = &s->binds[i];
		const char *from = NULL;

		for (size_t k = 0; !from && k < ARRAY_SIZE(b->from) && b->from[k]; k++)
			if (access(b->from[k], R_OK) == 0)
				from = b->from[k];
		if (!from)
			return error_set(err, -ENOENT,
					 "--with %s: this host has no %s; its package %s brings it",
					 s->name, b->from[0], s->name);
		add_bind(mounts, from, b->to);
	}
	return 0;
}

static void add_own(const char *dir, const char *name, json_t *mounts)
{
	autofree char *from = xasprintf("%s/%s", dir, name), *to = xasprintf("/etc/%s", name);

	add_bind(mounts, from, to);
}

int supply_add_mounts(const struct strv *lists, const char *dir, json_t *mounts, struct error *err)
{
	int r = supply_check(lists, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(supplies); i++)
		if (supply_is_asked(lists, supplies[i].name))
			r = add_binds(&supplies[i], mounts, err);
	if (r < 0)
		return r;
	if (supply_is_asked(lists, "passwd")) {
		add_own(dir, "passwd", mounts);
		add_own(dir, "group", mounts);
	}
	if (supply_is_asked(lists, "tmp"))
		(void)json_array_append_new(mounts,
					    json_pack("{s:s, s:s, s:s, s:[s, s, s]}", "destination",
						      "/tmp", "type", "tmpfs", "source", "tmpfs",
						      "options", "nosuid", "nodev", "mode=1777"));
	return 0;
}

int supply_write(const struct strv *lists, const char *dir, struct error *err)
{
	static const struct {
		const char *name, *text;
	} files[] = { { "passwd", PASSWD_TEXT }, { "group", GROUP_TEXT } };
	int r = 0;

	if (!supply_is_asked(lists, "passwd"))
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		autofree char *path = xasprintf("%s/%s", dir, files[i].name);

		if (!explain("names for the users that every system has", "printf %%s %s > %s",
			     sq(files[i].text), sq(path)))
			r = file_write_at(AT_FDCWD, path, files[i].text, strlen(files[i].text),
					  0644, FILE_PLAIN, err);
	}
	return r;
}

static bool is_lacking(const struct supply *s, int view)
{
	for (size_t i = 0; view >= 0 && i < ARRAY_SIZE(s->probe) && s->probe[i]; i++) {
		autoclose int fd = overlay_open(view, s->probe[i], O_PATH);

		if (fd >= 0)
			return false;
	}
	return true;
}

void supply_diagnose(const char *last_words, int view, const struct strv *asked, struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(supplies); i++) {
		const struct supply *s = &supplies[i];
		const char *word = NULL;

		for (size_t k = 0; !word && k < ARRAY_SIZE(s->words) && s->words[k]; k++)
			if (strcasestr(last_words, s->words[k]))
				word = s->words[k];
		if (word && !supply_is_asked(asked, s->name) && is_lacking(s, view))
			strv_addf(ret,
				  "it spoke of '%s', and its root lacks %s; --with %s brings that",
				  word, s->what, s->name);
	}
}

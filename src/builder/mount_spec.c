/* src/builder/mount_spec.c */
#include "builder/mount_spec.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"

#define SECRET_MAX (500U << 10) /* as BuildKit */
#define KIND(k)    (1U << (k))

struct reading {
	struct mount_spec *spec;
	struct error *err;
};

static int set_text(char **place, const char *value)
{
	free(*place);
	*place = xstrdup(value);
	return 0;
}

static int read_from(struct reading *rd, const char *value)
{
	return set_text(&rd->spec->from, value);
}

static int read_source(struct reading *rd, const char *value)
{
	return set_text(&rd->spec->source, value);
}

static int read_target(struct reading *rd, const char *value)
{
	return set_text(&rd->spec->target, value);
}

static int read_id(struct reading *rd, const char *value)
{
	return set_text(&rd->spec->id, value);
}

/* A name that a shell can say. */
static int read_env(struct reading *rd, const char *value)
{
	size_t len =
		strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (len == 0 || value[len] || (*value >= '0' && *value <= '9'))
		return error_set(rd->err, -EINVAL, "'%.60s' is no name of a variable", value);
	return set_text(&rd->spec->env, value);
}

static int read_flag(const struct reading *rd, const char *value, bool *ret)
{
	if (!value || strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = true;
	else if (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = false;
	else
		return error_set(rd->err, -EINVAL, "'%.40s' is neither true nor false", value);
	return 0;
}

static int read_ro(struct reading *rd, const char *value)
{
	return read_flag(rd, value, &rd->spec->read_only);
}

static int read_rw(struct reading *rd, const char *value)
{
	bool writes = true;
	int r = read_flag(rd, value, &writes);

	rd->spec->read_only = !writes;
	return r;
}

static int read_required(struct reading *rd, const char *value)
{
	return read_flag(rd, value, &rd->spec->required);
}

static int read_sharing(struct reading *rd, const char *value)
{
	static const char *const words[] = { [SHARING_SHARED] = "shared",
					     [SHARING_LOCKED] = "locked",
					     [SHARING_PRIVATE] = "private" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i], value) != 0)
			continue;
		rd->spec->sharing = (enum mount_sharing)i;
		return 0;
	}
	return error_set(rd->err, -EINVAL, "sharing is shared, locked or private, not '%.40s'",
			 value);
}

static int read_mode(struct reading *rd, const char *value)
{
	unsigned mode;

	if (number_parse_octal(value, 07777, &mode) < 0)
		return error_set(rd->err, -EINVAL, "mode '%.40s' is no octal number", value);
	rd->spec->mode = mode;
	return 0;
}

static int read_owner(const struct reading *rd, const char *value, int64_t *ret)
{
	uint64_t number;

	if (number_parse(value, UINT32_MAX - 1, &number) < 0)
		return error_set(rd->err, -EINVAL, "'%.40s' is no user's or group's number", value);
	*ret = (int64_t)number;
	return 0;
}

static int read_uid(struct reading *rd, const char *value)
{
	return read_owner(rd, value, &rd->spec->uid);
}

static int read_gid(struct reading *rd, const char *value)
{
	return read_owner(rd, value, &rd->spec->gid);
}

static int read_size(struct reading *rd, const char *value)
{
	if (number_parse_size(value, &rd->spec->size) < 0)
		return error_set(rd->err, -EINVAL, "'%.40s' is no size", value);
	return 0;
}

static const struct key {
	const char *name;
	int (*read)(struct reading *rd, const char *value);
	unsigned kinds;
	bool is_flag; /* may stand without a value */
} keys[] = {
	{ "from", read_from, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), false },
	{ "source", read_source, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), false },
	{ "src", read_source, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), false },
	{ "target", read_target, ~0U, false },
	{ "dst", read_target, ~0U, false },
	{ "destination", read_target, ~0U, false },
	{ "id", read_id, KIND(MOUNT_CACHE) | KIND(MOUNT_SECRET) | KIND(MOUNT_SSH), false },
	{ "env", read_env, KIND(MOUNT_SECRET), false },
	{ "ro", read_ro, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), true },
	{ "readonly", read_ro, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), true },
	{ "rw", read_rw, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), true },
	{ "readwrite", read_rw, KIND(MOUNT_BIND) | KIND(MOUNT_CACHE), true },
	{ "required", read_required, KIND(MOUNT_SECRET) | KIND(MOUNT_SSH), true },
	{ "sharing", read_sharing, KIND(MOUNT_CACHE), false },
	{ "mode", read_mode, KIND(MOUNT_CACHE) | KIND(MOUNT_SECRET) | KIND(MOUNT_SSH), false },
	{ "uid", read_uid, KIND(MOUNT_CACHE) | KIND(MOUNT_SECRET) | KIND(MOUNT_SSH), false },
	{ "gid", read_gid, KIND(MOUNT_CACHE) | KIND(MOUNT_SECRET) | KIND(MOUNT_SSH), false },
	{ "size", read_size, KIND(MOUNT_TMPFS), false },
};

static const char *const kind_names[] = { [MOUNT_BIND] = "bind",
					  [MOUNT_CACHE] = "cache",
					  [MOUNT_SECRET] = "secret",
					  [MOUNT_SSH] = "ssh",
					  [MOUNT_TMPFS] = "tmpfs" };

static int read_pair(struct reading *rd, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcasecmp(keys[i].name, name) != 0 || !(keys[i].kinds & KIND(rd->spec->kind)))
			continue;
		if (!value && !keys[i].is_flag)
			return error_set(rd->err, -EINVAL, "%s wants a value", name);
		return keys[i].read(rd, value);
	}
	return error_set(rd->err, -EINVAL, "a mount of type %s has no '%.60s'",
			 kind_names[rd->spec->kind], name);
}

static int read_kind(struct reading *rd, const char *value)
{
	for (size_t i = 0; value && i < ARRAY_SIZE(kind_names); i++) {
		if (strcasecmp(kind_names[i], value) != 0)
			continue;
		rd->spec->kind = (enum mount_kind)i;
		return 0;
	}
	return error_set(rd->err, -EINVAL, "type is bind, cache, secret, ssh or tmpfs, not '%.40s'",
			 value ? value : "");
}

/* The pairs of a text: the type first, wherever it stands, then the others. */
static int read_pairs(struct reading *rd, const char *text, bool types)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *name;
	int r = 0;

	while (r == 0 && (name = strsep(&rest, ","))) {
		char *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		if ((strcasecmp(name, "type") == 0) == types)
			r = types ? read_kind(rd, value) : read_pair(rd, name, value);
	}
	return r;
}

static int check(const struct mount_spec *spec, struct error *err)
{
	if (spec->kind == MOUNT_SECRET && !spec->id && !spec->target)
		return error_set(err, -EINVAL, "a secret wants an id");
	if (spec->kind != MOUNT_SECRET && spec->kind != MOUNT_SSH &&
	    (!spec->target || !*spec->target))
		return error_set(err, -EINVAL, "it wants a target");
	if (spec->kind == MOUNT_CACHE && spec->source && !spec->from)
		return error_set(err, -EINVAL, "source is of a from, which is not there");
	return 0;
}

int mount_spec_parse(const char *text, struct mount_spec *ret, struct error *err)
{
	struct mount_spec spec = { .mode = -1, .uid = -1, .gid = -1 };
	struct reading rd = { .spec = &spec, .err = err };
	int r = read_pairs(&rd, text, true);

	spec.read_only = spec.kind == MOUNT_BIND;
	if (r == 0)
		r = read_pairs(&rd, text, false);
	if (r == 0)
		r = check(&spec, err);
	if (r < 0) {
		mount_spec_done(&spec);
		return error_wrap(err, r, "--mount=%.200s", text);
	}
	if (spec.kind == MOUNT_SECRET && !spec.id && spec.target) {
		const char *slash = strrchr(spec.target, '/');

		spec.id = xstrdup(slash ? slash + 1 : spec.target);
	}
	if (spec.kind == MOUNT_SSH && !spec.id)
		spec.id = xstrdup("default");
	*ret = spec;
	return 0;
}

void mount_spec_done(struct mount_spec *spec)
{
	free(spec->from);
	free(spec->source);
	free(spec->target);
	free(spec->id);
	free(spec->env);
	*spec = (struct mount_spec) { .from = NULL };
}

/* secrets */

struct secret {
	char *id, *path, *env; /* path or env; of neither it is what is called so */
	bool is_env;
};

static void secret_done(struct secret *s)
{
	free(s->id);
	free(s->path);
	free(s->env);
}

static int set_secret(struct secret *s, const char *key, const char *value)
{
	char **place = strcmp(key, "id") == 0       ? &s->id
		       : strcmp(key, "env") == 0    ? &s->env
		       : strcmp(key, "src") == 0    ? &s->path
		       : strcmp(key, "source") == 0 ? &s->path
						    : NULL;

	if (strcmp(key, "type") == 0) {
		s->is_env = strcmp(value, "env") == 0;
		return s->is_env || strcmp(value, "file") == 0 ? 0 : -EINVAL;
	}
	if (!place)
		return -EINVAL;
	free(*place);
	*place = xstrdup(value);
	return 0;
}

static int secret_parse(const char *text, struct secret *ret, struct error *err)
{
	int r = 0;

	for (const char *at = text; r == 0 && *at; at += *at == ',') {
		size_t n = strcspn(at, ","), len = strcspn(at, "=");
		autofree char *key = xstrndup(at, MIN(n, len));
		autofree char *value = len < n ? xstrndup(at + len + 1, n - len - 1) : NULL;

		r = value ? set_secret(ret, key, value) : -EINVAL;
		at += n;
	}
	if (r < 0 || !ret->id || !*ret->id)
		return error_set(err, -EINVAL,
				 "--secret %.100s: expected id=NAME[,src=FILE|,env=NAME]", text);
	/* type=env,src=NAME says it, too. */
	if (ret->is_env && !ret->env) {
		ret->env = ret->path ? ret->path : xstrdup(ret->id);
		ret->path = NULL;
	}
	if (!ret->path && !ret->env && getenv(ret->id))
		ret->env = xstrdup(ret->id);
	return 0;
}

static int check_file(const struct secret *s, struct error *err)
{
	const char *path = s->path ? s->path : s->id;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "--secret id=%s: %s is a directory", s->id, path);
	if (access(path, R_OK) == 0)
		return 0;
	if (s->path)
		return error_sys(err, -errno, "--secret id=%s: open %s", s->id, path);
	return error_set(err, -ENOENT,
			 "--secret id=%s: there is no variable and no file %s; src=FILE or "
			 "env=NAME say where it is",
			 s->id, s->id);
}

int secret_check(const char *text, struct error *err)
{
	cleanup(secret_done) struct secret s = { .id = NULL };
	int r = secret_parse(text, &s, err);

	return r < 0 || s.env ? r : check_file(&s, err);
}

int secret_read(const char *text, const char *id, char **ret, size_t *ret_len, struct error *err)
{
	cleanup(secret_done) struct secret s = { .id = NULL };
	const char *value;
	int r = secret_parse(text, &s, err);

	if (r < 0 || !s.id || strcmp(s.id, id) != 0)
		return r < 0 ? r : 1;
	if (!s.env) {
		r = check_file(&s, err);
		if (r < 0)
			return r;
		r = file_read_at(AT_FDCWD, s.path ? s.path : s.id, SECRET_MAX, ret, ret_len, err);
		return r < 0 ? error_wrap(err, r, "--secret id=%s", id) : 0;
	}
	value = getenv(s.env);
	if (!value)
		return error_set(
			err, -ENOENT,
			"--secret id=%s: there is no variable %s; src=FILE takes it from a file",
			id, s.env);
	*ret = xstrdup(value);
	*ret_len = strlen(value);
	return 0;
}

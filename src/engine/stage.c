/* src/engine/stage.c */
#include "engine/stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/copy.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/bare.h"
#include "engine/bundle.h"
#include "engine/root.h"
#include "engine/supply.h"

#define PAIR_MAX   (1U << 20)
#define PATH_VALUE "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct staging {
	const struct stage_request *req;
	struct timespec
		time; /* of all that is made here, so that the same input is the same image */
};

void stage_done(struct stage *s)
{
	if (s->dir >= 0)
		(void)close(s->dir);
	strv_done(&s->instructions);
}

/* "/etc/ssl/cert.pem": its directories, in a tree that is ours alone. */
static int make_parents(int root, const char *path, struct error *err)
{
	autofree char *dir = xstrdup(path + strspn(path, "/"));
	char *slash = strrchr(dir, '/');

	if (!slash)
		return 0;
	*slash = '\0';
	return dir_make_at(root, dir, 0755, err);
}

static int copy_file(int root, const char *from, const char *to, const struct timespec *time,
		     struct error *err)
{
	autoclose int in = open(from, O_RDONLY | O_CLOEXEC);
	autoclose int out = -1;
	const struct timespec times[] = { *time, *time };
	struct stat st;
	int r;

	if (in < 0 || fstat(in, &st) < 0)
		return error_sys(err, -errno, "open %s", from);
	r = make_parents(root, to, err);
	if (r < 0)
		return r;
	out = openat(root, to + strspn(to, "/"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return error_sys(err, -errno, "make %s", to);
	r = copy_bytes(in, out);
	if (r < 0 || fchmod(out, st.st_mode & 0777) < 0 || futimens(out, times) < 0)
		return error_sys(err, r < 0 ? r : -errno, "copy %s", from);
	return 0;
}

static int copy_dir(int root, const char *from, const char *to, struct error *err)
{
	autoclose int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int out = -1;
	int r = in < 0 ? error_sys(err, -errno, "open %s", from)
		       : dir_ensure_at(root, to + strspn(to, "/"), 0755, &out, err);

	return r < 0 ? r : copy_tree(in, out, err);
}

/* What "run --with" would mount is copied in. */
static int add_supply(struct staging *s, const json_t *mount, struct error *err)
{
	const char *from = json_string_value(json_object_get(mount, "source"));
	const char *to = json_string_value(json_object_get(mount, "destination"));
	struct stat st;

	if (strcmp(json_string_value(json_object_get(mount, "type")), "tmpfs") == 0) {
		if (mkdirat(s->req->tmp, to + 1, 0700) < 0 ||
		    fchmodat(s->req->tmp, to + 1, 01777, 0) < 0)
			return error_sys(err, -errno, "make %s", to);
		return 0;
	}
	if (stat(from, &st) < 0)
		return error_sys(err, -errno, "%s", from);
	return S_ISDIR(st.st_mode) ? copy_dir(s->req->tmp, from, to, err)
				   : copy_file(s->req->tmp, from, to, &st.st_mtim, err);
}

static int add_supplies(struct staging *s, struct error *err)
{
	cleanup(json_cleanup) json_t *mounts = json_array();
	autofree char *beside = xasprintf("%s.files", s->req->tmp_path);
	const json_t *mount;
	size_t i;
	int r;

	if (supply_is_asked(s->req->with, "resolver"))
		return error_set(err, -EINVAL,
				 "--with resolver: these files are a container's own, no image's");
	r = dir_make_at(AT_FDCWD, beside, 0700, err);
	if (r == 0)
		r = supply_write(s->req->with, beside, err);
	if (r == 0)
		r = supply_add_mounts(s->req->with, beside, mounts, err);
	json_array_foreach (mounts, i, mount)
		if (r == 0)
			r = add_supply(s, mount, err);
	ignore_result(dir_remove_at(AT_FDCWD, beside, NULL));
	return r;
}

/* Directories that were made here carry the time of the file, not of now. */
static int set_dir_times(const struct staging *s, struct error *err)
{
	const struct timespec times[] = { s->time, s->time };

	return futimens(s->req->tmp, times) < 0 ? error_sys(err, -errno, "set the time of the root")
						: 0;
}

/* ENTRYPOINT ["/hello"]; takes list. */
static int say_list(struct stage *stage, const char *word, json_t *list, struct error *err)
{
	autofree char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;

	json_decref(list);
	if (!text)
		return error_set(err, -EILSEQ, "%s: a name that is not UTF-8", word);
	strv_addf(&stage->instructions, "%s %s", word, text);
	return 0;
}

static int stage_program(const struct stage_request *req, struct stage *ret, struct error *err)
{
	struct staging s = { .req = req };
	struct bare bare = { 0 };
	struct stat st;
	int r = bare_plan(req->path, req->with_libs, &bare, err);

	if (r < 0)
		return r;
	if (stat(bare.host_path, &st) < 0)
		r = error_sys(err, -errno, "%s", req->path);
	s.time = st.st_mtim;
	if (r == 0)
		r = copy_file(req->tmp, bare.host_path, bare.inside, &st.st_mtim, err);
	for (size_t i = 0; r == 0 && i < bare.from.n; i++)
		r = copy_file(req->tmp, bare.from.items[i], bare.to.items[i], &st.st_mtim, err);
	if (r == 0)
		r = add_supplies(&s, err);
	if (r == 0)
		r = set_dir_times(&s, err);
	if (r == 0) {
		ret->dir = fcntl(req->tmp, F_DUPFD_CLOEXEC, 0);
		r = say_list(ret, "ENTRYPOINT", json_pack("[s]", bare.inside), err);
		strv_add(&ret->instructions, "ENV " PATH_VALUE);
		ret->newest_s = st.st_mtim.tv_sec;
		ret->is_ours = true;
	}
	bare_done(&bare);
	return r;
}

static int open_root(const char *path, struct stage *ret, struct error *err)
{
	struct stat st;

	ret->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0 || fstat(ret->dir, &st) < 0)
		return error_sys(err, -errno, "open %s", path);
	ret->newest_s = st.st_mtim.tv_sec;
	return 0;
}

/* "A b" as one word of ENV or LABEL. */
static void say_pair(struct stage *stage, const char *word, const char *name, const char *value)
{
	struct buf text = BUF_INIT(PAIR_MAX);

	buf_addf(&text, "%s %s=\"", word, name);
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_char(&text, '\\');
		buf_add_char(&text, *p);
	}
	buf_add_char(&text, '"');
	strv_take(&stage->instructions, buf_steal(&text));
}

static void say_env(struct stage *stage, const json_t *env)
{
	const json_t *item;
	size_t i;

	json_array_foreach (env, i, item) {
		autofree char *name = xstrdup(json_is_string(item) ? json_string_value(item) : "");
		char *value = strchr(name, '=');

		if (!value || value == name)
			continue;
		*value++ = '\0';
		say_pair(stage, "ENV", name, value);
	}
}

static void say_text(struct stage *stage, const char *word, const json_t *config, const char *key)
{
	const char *text = json_string_value(json_object_get(config, key));

	if (text && *text)
		strv_addf(&stage->instructions, "%s %s", word, text);
}

static void say_set(struct stage *stage, const char *word, const json_t *config, const char *key)
{
	json_t *set = json_object_get(config, key), *value;
	const char *name;

	json_object_foreach (set, name, value) {
		const char *text = json_string_value(value);

		if (text)
			say_pair(stage, word, name, text);
		else
			strv_addf(&stage->instructions, "%s %s", word, name);
	}
}

int stage_say_config(struct stage *stage, const json_t *config, struct error *err)
{
	static const char *const lists[][2] = { { "ENTRYPOINT", "Entrypoint" }, { "CMD", "Cmd" } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++) {
		json_t *list = json_object_get(config, lists[i][1]);

		if (json_array_size(list))
			r = say_list(stage, lists[i][0], json_incref(list), err);
	}
	say_env(stage, json_object_get(config, "Env"));
	say_text(stage, "WORKDIR", config, "WorkingDir");
	say_text(stage, "USER", config, "User");
	say_text(stage, "STOPSIGNAL", config, "StopSignal");
	say_set(stage, "EXPOSE", config, "ExposedPorts");
	say_set(stage, "VOLUME", config, "Volumes");
	say_set(stage, "LABEL", config, "Labels");
	return r;
}

/* The image's own words if bundle_write() left them and they are still true. */
static json_t *bundle_config(const struct root *root)
{
	const json_t *notes = json_object_get(root->bundle, "annotations");
	const char *text = json_string_value(json_object_get(notes, "io.strake.image.config"));
	const struct image_config *c = root->config;
	json_t *config = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	cleanup(json_cleanup) json_t *said = json_array();
	cleanup(json_cleanup) json_t *args = json_from_strv(&c->cmd);

	if (json_is_object(config)) {
		(void)json_array_extend(said, json_object_get(config, "Entrypoint"));
		(void)json_array_extend(said, json_object_get(config, "Cmd"));
		if (json_equal(said, args))
			return config;
	} else {
		json_decref(config);
		config = json_object();
		(void)json_object_set_new(config, "Env", json_from_strv(&c->env));
		if (c->workdir)
			(void)json_object_set_new(config, "WorkingDir", json_string(c->workdir));
		if (c->user && strcmp(c->user, "0:0") != 0)
			(void)json_object_set_new(config, "User", json_string(c->user));
	}
	(void)json_object_del(config, "Entrypoint");
	(void)json_object_set(config, "Cmd", args);
	return config;
}

static int stage_bundle(const struct stage_request *req, struct stage *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *config = NULL;
	struct root root = { .source = NULL };
	int r = bundle_plan(req->path, &root, err);

	if (r == 0)
		r = open_root(root.layers.items[0], ret, err);
	if (r == 0)
		config = bundle_config(&root);
	if (r == 0)
		r = stage_say_config(ret, config, err);
	root_done(&root);
	return r;
}

static int stage_directory(const struct stage_request *req, struct stage *ret, struct error *err)
{
	int r = open_root(req->path, ret, err);

	strv_add(&ret->instructions, "ENV " PATH_VALUE);
	return r;
}

int stage_make(const struct stage_request *req, struct stage *ret, struct error *err)
{
	autofree char *config = xasprintf("%s/config.json", req->path);
	struct stage s = STAGE_INIT;
	struct stat st;
	bool is_file;
	int r;

	if (stat(req->path, &st) < 0)
		return error_sys(err, -errno, "%s", req->path);
	is_file = S_ISREG(st.st_mode);
	if (!is_file && (req->with_libs || req->with->n))
		return error_set(err, -EINVAL,
				 "--with and --with-libs only make sense with one executable");
	if (is_file)
		r = stage_program(req, &s, err);
	else if (access(config, F_OK) == 0)
		r = stage_bundle(req, &s, err);
	else
		r = stage_directory(req, &s, err);
	if (r < 0)
		stage_done(&s);
	else
		*ret = s;
	return r;
}

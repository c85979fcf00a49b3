/* src/engine/bundle.c */
#include "engine/bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/root.h"

static int find_rootfs(const char *bundle, const json_t *config, struct root *root,
		       struct error *err)
{
	struct json_reader rd;
	const json_t *part;
	const char *path;
	autofree char *joined = NULL;
	char *real;
	struct stat st;

	json_reader_init(&rd, "config.json", err);
	part = json_read_object(&rd, config, "root");
	path = json_read_string(&rd, part, "path", "rootfs");
	if (rd.r < 0)
		return rd.r;
	joined = path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", bundle, path);
	real = realpath(joined, NULL);
	if (!real || stat(real, &st) < 0)
		return error_sys(err, -errno, "root of bundle %s: %s", bundle, joined);
	strv_take(&root->layers, real);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR, "root of bundle %s: %s is no directory", bundle,
				 joined);
	if (strcmp(real, "/") == 0)
		return error_set(
			err, -EINVAL,
			"bundle %s has the host's / as its root, which would show all of it",
			bundle);
	return 0;
}

static int read_user(struct json_reader *rd, const json_t *process, struct image_config *ret)
{
	const json_t *user = json_read_object(rd, process, "user");
	int64_t uid = json_read_int(rd, user, "uid", 0, UINT32_MAX - 1, 0);
	int64_t gid = json_read_int(rd, user, "gid", 0, UINT32_MAX - 1, 0);

	if (user)
		ret->user = xasprintf("%lld:%lld", (long long)uid, (long long)gid);
	return rd->r;
}

/* What of "process" has the same meaning as in an image: options of the user go the same way. */
static int read_process(struct root *root, struct error *err)
{
	struct image_config *c = &root->bundle_config;
	struct json_reader rd;
	const json_t *process;
	const char *cwd;

	json_reader_init(&rd, "config.json", err);
	process = json_read_object(&rd, root->bundle, "process");
	json_read_strings(&rd, process, "args", &c->cmd);
	json_read_strings(&rd, process, "env", &c->env);
	cwd = json_read_string(&rd, process, "cwd", NULL);
	c->workdir = xstrdup_or_null(cwd);
	root->hostname = json_read_string(&rd, root->bundle, "hostname", NULL);
	if (read_user(&rd, process, c) < 0)
		return rd.r;
	root->config = c;
	return 0;
}

/* config.md: the source of a bind mount may be relative, to the bundle; ours lies elsewhere. */
static void fix_sources(const char *bundle, json_t *config)
{
	json_t *mounts = json_object_get(config, "mounts"), *mount;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		const char *source = json_string_value(json_object_get(mount, "source"));
		const char *type = json_string_value(json_object_get(mount, "type"));
		autofree char *joined = NULL;

		if (!source || source[0] == '/' || (type && strcmp(type, "bind") != 0))
			continue;
		joined = xasprintf("%s/%s", bundle, source);
		(void)json_object_set_new(mount, "source", json_string(joined));
	}
}

static int refuse_user_namespace(const char *dir, const json_t *config, struct error *err)
{
	const json_t *list = json_object_get(json_object_get(config, "linux"), "namespaces"), *ns;
	size_t i;

	json_array_foreach (list, i, ns) {
		const char *type = json_string_value(json_object_get(ns, "type"));

		if (type && strcmp(type, "user") == 0)
			return error_set(err, -EOPNOTSUPP,
					 "bundle %s has a user namespace of its own; "
					 "'strake-runtime run --bundle %s NAME' runs it as it is",
					 dir, dir);
	}
	return 0;
}

int bundle_plan(const char *dir, struct root *root, struct error *err)
{
	char *path = realpath(dir, NULL);
	autofree char *file = NULL;
	int r;

	if (!path)
		return error_sys(err, -errno, "%s", dir);
	root->kind = ROOT_BUNDLE;
	root->source = path;
	file = xasprintf("%s/config.json", path);
	r = json_load_at(AT_FDCWD, file, &root->bundle, err);
	if (r == 0 && !json_is_object(root->bundle))
		r = error_set(err, -EBADMSG, "%s: expected an object", file);
	if (r == 0)
		r = refuse_user_namespace(dir, root->bundle, err);
	if (r == 0)
		r = find_rootfs(path, root->bundle, root, err);
	if (r == 0)
		r = read_process(root, err);
	if (r == 0)
		fix_sources(path, root->bundle);
	return r;
}

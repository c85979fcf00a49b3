/* src/engine/config.c
 *
 * The runtime's default configuration is the trunk; each function here bends one part of it.
 */
#include "engine/config.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/grant.h"
#include "engine/limit.h"
#include "engine/options.h"
#include "engine/root.h"
#include "engine/root_view.h"
#include "engine/supply.h"
#include "engine/volume.h"
#include "runtime/default_spec.h"

#define ENV_BYTES_MAX (4U << 20)
#define INIT_INSIDE   "/dev/init" /* on the container's own /dev, so that no layer is touched */

/* A program, or with its first arguments: ["/bin/sh", "-c"]. */
static int add_entrypoint(const char *text, struct strv *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *list = NULL;
	const json_t *item;
	size_t i;

	if (text[0] != '[') {
		if (text[0])
			strv_add(ret, text);
		return 0;
	}
	list = json_loads(text, 0, NULL);
	if (!json_is_array(list))
		return error_set(err, -EINVAL,
				 "--entrypoint '%s': expected PROGRAM or [\"PROGRAM\", "
				 "\"ARGUMENT\", ...]",
				 text);
	json_array_foreach (list, i, item) {
		if (!json_is_string(item))
			return error_set(err, -EINVAL, "--entrypoint '%s': it is no list of texts",
					 text);
		strv_add(ret, json_string_value(item));
	}
	return 0;
}

int config_command(const struct container_options *options, const struct root *root,
		   struct strv *ret, struct error *err)
{
	const struct image_config *image = root->config;
	bool own_entrypoint = options->entrypoint != NULL;

	if (root->kind == ROOT_BARE)
		strv_add(ret, root->bare.inside);
	if (own_entrypoint) {
		int r = add_entrypoint(options->entrypoint, ret, err);

		if (r < 0)
			return r;
	}
	if (!own_entrypoint && image)
		strv_extend(ret, image->entrypoint.items, image->entrypoint.n);
	if (options->ncommand > 0)
		strv_extend(ret, options->command, options->ncommand);
	else if (!own_entrypoint && image)
		strv_extend(ret, image->cmd.items, image->cmd.n);
	if (ret->n == 0)
		return error_set(err, -EINVAL, "%s names no command; say what to run behind it",
				 root->source);
	return 0;
}

static int env_add(struct strv *env, const char *text, struct error *err)
{
	autofree char *copied = NULL;
	const char *ours;

	if (text[0] == '=' || !text[0])
		return error_set(err, -EINVAL, "--env '%s': a variable needs a name", text);
	if (strchr(text, '=')) {
		strv_env_set(env, text);
		return 0;
	}
	ours = getenv(text);
	if (!ours)
		return 0;
	copied = xasprintf("%s=%s", text, ours);
	strv_env_set(env, copied);
	return 0;
}

int config_env_file(struct strv *env, const char *path, struct error *err)
{
	autofree char *text = NULL;
	char *rest, *line;
	int r = file_read_at(AT_FDCWD, path, ENV_BYTES_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		if (*line && *line != '#')
			r = env_add(env, line, err);
		if (r < 0)
			return error_wrap(err, r, "%s", path);
	}
	return 0;
}

int config_env(struct strv *env, const struct strv *assignments, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < assignments->n; i++)
		r = env_add(env, assignments->items[i], err);
	return r;
}

static int build_env(const struct config_request *req, const char *home, const char *hostname,
		     struct strv *env, struct error *err)
{
	const struct container_options *o = req->options;
	const struct image_config *image = req->root->config;
	int r = 0;

	strv_add(env, CONFIG_DEFAULT_PATH);
	strv_addf(env, "HOSTNAME=%s", hostname);
	if (o->tty)
		strv_add(env, "TERM=xterm");
	for (size_t i = 0; image && i < image->env.n; i++)
		strv_env_set(env, image->env.items[i]);
	for (size_t i = 0; r == 0 && i < o->env_file.n; i++)
		r = config_env_file(env, o->env_file.items[i], err);
	if (r < 0)
		return error_wrap(err, r, "--env-file");
	if (r == 0)
		r = config_env(env, &o->env, err);
	if (r == 0 && !strv_env_get(env, "HOME"))
		strv_addf(env, "HOME=%s", home);
	return r;
}

static json_t *member(json_t *parent, const char *key)
{
	json_t *child = json_object_get(parent, key);

	if (child)
		return child;
	child = json_object();
	(void)json_object_set_new(parent, key, child);
	return child;
}

/* JSON is UTF-8 and nothing else; what is not would be lost without a word. */
static int check_texts(const struct strv *texts, const char *what, struct error *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		json_t *value = json_string(texts->items[i]);

		if (!value)
			return error_set(err, -EILSEQ,
					 "%s '%s' is not UTF-8, which config.json needs", what,
					 texts->items[i]);
		json_decref(value);
	}
	return 0;
}

static void set_user(json_t *process, const struct user *user)
{
	json_t *obj =
		json_pack("{s:I, s:I}", "uid", (json_int_t)user->uid, "gid", (json_int_t)user->gid);
	json_t *groups = json_array();

	for (size_t i = 0; i < user->ngroups; i++)
		(void)json_array_append_new(groups, json_integer(user->groups[i]));
	(void)json_object_set_new(obj, "additionalGids", groups);
	(void)json_object_set_new(process, "user", obj);
}

void config_set_terminal(json_t *process, bool tty)
{
	struct winsize size;

	(void)json_object_set_new(process, "terminal", json_boolean(tty));
	if (tty && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)json_object_set_new(
			process, "consoleSize",
			json_pack("{s:i, s:i}", "height", size.ws_row, "width", size.ws_col));
}

static const char *choose_workdir(const struct config_request *req)
{
	const struct image_config *image = req->root->config;

	if (req->options->workdir)
		return req->options->workdir;
	if (image && image->workdir && image->workdir[0])
		return image->workdir;
	return "/";
}

static int set_process(const struct config_request *req, const struct strv *caps, json_t *config,
		       struct error *err)
{
	const struct image_config *image = req->root->config;
	const char *who = req->options->user ? req->options->user : image ? image->user : NULL;
	json_t *process = member(config, "process");
	cleanup(user_done) struct user user = { 0 };
	struct strv args = { 0 }, env = { 0 };
	int r = user_resolve(&req->root->layers, who, &user, err);

	for (size_t i = 0; r == 0 && i < req->options->group_add.n; i++)
		r = user_add_group(&req->root->layers, req->options->group_add.items[i], &user,
				   err);
	if (req->options->init)
		strv_add(&args, INIT_INSIDE);
	strv_extend(&args, req->container->command.items, req->container->command.n);
	if (r == 0)
		r = build_env(req, user.home, req->hostname, &env, err);
	if (r == 0)
		r = check_texts(&args, "argument", err);
	if (r == 0)
		r = check_texts(&env, "variable", err);
	if (r == 0 && choose_workdir(req)[0] != '/')
		r = error_set(err, -EINVAL, "working directory '%s' does not start with /",
			      choose_workdir(req));
	if (r == 0) {
		if (!req->root->bundle || req->options->user)
			set_user(process, &user);
		config_set_terminal(process, req->options->tty);
		(void)json_object_set_new(process, "args", json_from_strv(&args));
		(void)json_object_set_new(process, "env", json_from_strv(&env));
		(void)json_object_set_new(process, "cwd", json_string(choose_workdir(req)));
		(void)json_object_set_new(process, "capabilities", grant_capability_sets(caps));
	}
	strv_done(&args);
	strv_done(&env);
	return r;
}

static void bind_file(json_t *mounts, const char *from, const char *to, bool read_only)
{
	json_t *options = json_pack("[s, s, s]", "bind", "nosuid", "nodev");

	if (read_only)
		(void)json_array_append_new(options, json_string("ro"));
	(void)json_array_append_new(mounts,
				    json_pack("{s:s, s:s, s:s, s:o}", "destination", to, "type",
					      "bind", "source", from, "options", options));
}

/* A bare root holds the file alone; what could read these asks for them. */
bool config_wants_names(const struct container_options *options, const struct root *root)
{
	return root->kind != ROOT_BARE || supply_is_asked(&options->with, "resolver");
}

static bool is_of_the_image(const struct container_options *o, const char *name)
{
	return (o->no_hosts && strcmp(name, "hosts") == 0) ||
	       (o->no_hostname && strcmp(name, "hostname") == 0);
}

static void add_etc_files(const struct config_request *req, json_t *mounts)
{
	static const char *const names[] = { "resolv.conf", "hosts", "hostname" };

	for (size_t i = 0; config_wants_names(req->options, req->root) && i < ARRAY_SIZE(names);
	     i++) {
		autofree char *from = xasprintf("%s/%s", req->dir, names[i]);
		autofree char *to = xasprintf("/etc/%s", names[i]);

		if (!is_of_the_image(req->options, names[i]))
			bind_file(mounts, from, to, false);
	}
}

static void set_shm_size(json_t *mounts, uint64_t bytes)
{
	autofree char *size = xasprintf("size=%llu", (unsigned long long)bytes);
	json_t *mount, *option;
	size_t i, k;

	if (bytes == 0)
		return;
	json_array_foreach (mounts, i, mount) {
		json_t *options = json_object_get(mount, "options");

		if (strcmp(json_string_value(json_object_get(mount, "destination")), "/dev/shm") !=
		    0)
			continue;
		json_array_foreach (options, k, option)
			if (strncmp(json_string_value(option), "size=", 5) == 0)
				(void)json_array_set_new(options, k, json_string(size));
	}
}

static bool is_mounted_over(const json_t *mount, const struct strv *destinations)
{
	const char *dest = json_string_value(json_object_get(mount, "destination"));

	return dest && strv_has(destinations, dest);
}

static void note_destinations(const json_t *mounts, struct strv *ret)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (mounts, i, mount)
		strv_add(ret, json_string_value(json_object_get(mount, "destination")));
}

static int check_twice(const struct strv *destinations, struct error *err)
{
	for (size_t i = 0; i < destinations->n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(destinations->items[i], destinations->items[j]) == 0)
				return error_set(err, -EINVAL, "two mounts at %s: which one?",
						 destinations->items[i]);
	return 0;
}

/* The root first, then the kernel's file systems and ours, then the user's; one of the user's at
 * the same place replaces a default (-v DIR:/dev/shm).
 */
static int set_mounts(const struct engine *engine, const struct config_request *req, json_t *config,
		      struct error *err)
{
	cleanup(json_cleanup) json_t *asked = json_array();
	json_t *mounts = json_array(), *defaults = json_incref(json_object_get(config, "mounts"));
	autofree char *init = engine_program(engine, "strake-init");
	const struct container_options *o = req->options;
	struct strv taken = { 0 };
	json_t *mount;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < o->tmpfs.n; i++)
		r = tmpfs_add_mount(o->tmpfs.items[i], asked, err);
	for (i = 0; r == 0 && i < o->volumes.n; i++)
		r = volume_add_mount(engine, o->volumes.items[i], asked, err);
	if (o->prepared && o->prepared->mounts)
		(void)json_array_extend(asked, o->prepared->mounts);
	note_destinations(asked, &taken);
	if (r == 0)
		r = check_twice(&taken, err);
	set_shm_size(defaults, o->shm_size);
	root_add_mounts(req->root, req->dir, mounts);
	add_etc_files(req, defaults);
	if (r == 0)
		r = supply_add_mounts(&o->with, req->dir, defaults, err);
	json_array_foreach (defaults, i, mount)
		if (!is_mounted_over(mount, &taken))
			(void)json_array_append(mounts, mount);
	if (o->init)
		bind_file(mounts, init, INIT_INSIDE, true);
	(void)json_array_extend(mounts, asked);
	(void)json_object_set_new(config, "mounts", mounts);
	json_decref(defaults);
	strv_done(&taken);
	return r;
}

/* A new one, the host's, or that of a path. */
static void add_namespace(json_t *namespaces, const char *type, const char *whose)
{
	if (!whose || strcmp(whose, "private") == 0)
		(void)json_array_append_new(namespaces, json_pack("{s:s}", "type", type));
	else if (strcmp(whose, "host") != 0)
		(void)json_array_append_new(namespaces,
					    json_pack("{s:s, s:s}", "type", type, "path", whose));
}

static void set_namespaces(const struct config_request *req, json_t *linux_part)
{
	const struct container_options *o = req->options;
	json_t *namespaces = json_array();

	add_namespace(namespaces, "mount", NULL);
	add_namespace(namespaces, "uts", o->uts);
	add_namespace(namespaces, "ipc", o->ipc);
	add_namespace(namespaces, "cgroup", o->cgroupns);
	add_namespace(namespaces, "pid", o->pid);
	if (req->netns)
		(void)json_array_append_new(
			namespaces, json_pack("{s:s, s:s}", "type", "network", "path", req->netns));
	(void)json_object_set_new(linux_part, "namespaces", namespaces);
}

/* A network namespace of its own lets any user in it ping and listen below 1024, as in Docker. */
static int set_sysctls(const struct config_request *req, json_t *linux_part, struct error *err)
{
	const struct strv *asked = &req->options->sysctls;
	json_t *sysctl = member(linux_part, "sysctl");

	if (req->netns && !req->is_joined) {
		(void)json_object_set_new(sysctl, "net.ipv4.ip_unprivileged_port_start",
					  json_string("0"));
		(void)json_object_set_new(sysctl, "net.ipv4.ping_group_range",
					  json_string("0 2147483647"));
	}
	for (size_t i = 0; i < asked->n; i++) {
		autofree char *name = xstrdup(asked->items[i]);
		char *value = strchr(name, '=');

		if (!value || value == name)
			return error_set(err, -EINVAL, "--sysctl '%s': expected NAME=VALUE",
					 asked->items[i]);
		*value++ = '\0';
		(void)json_object_set_new(sysctl, name, json_string(value));
	}
	return 0;
}

static int set_linux(const struct config_request *req, const struct strv *caps, json_t *config,
		     struct error *err)
{
	json_t *linux_part = member(config, "linux");
	autofree char *cgroup = xasprintf("/strake/%s", req->container->id);
	int r;

	set_namespaces(req, linux_part);
	(void)json_object_set_new(linux_part, "cgroupsPath", json_string(cgroup));
	r = set_sysctls(req, linux_part, err);
	if (r == 0)
		r = limit_add_resources(req->options, member(linux_part, "resources"), err);
	if (r == 0)
		r = grant_apply(req->options, caps, config, err);
	return r;
}

static int check_paths(const struct engine *engine, const struct config_request *req,
		       struct error *err)
{
	char *const ours[] = { engine->root, req->root->source };
	struct strv paths = { 0 };
	int r;

	strv_extend(&paths, ours, ARRAY_SIZE(ours));
	strv_extend(&paths, req->root->bare.from.items, req->root->bare.from.n);
	strv_extend(&paths, req->options->volumes.items, req->options->volumes.n);
	strv_extend(&paths, req->options->tmpfs.items, req->options->tmpfs.n);
	strv_extend(&paths, req->options->sysctls.items, req->options->sysctls.n);
	r = check_texts(&paths, "path", err);
	strv_done(&paths);
	return r;
}

int config_build(const struct engine *engine, const struct config_request *req, json_t **ret,
		 struct error *err)
{
	const json_t *bundle = req->root->bundle;
	cleanup(json_cleanup) json_t *config = bundle ? json_deep_copy(bundle) : default_spec();
	autofree char *merged = xasprintf("%s/merged", req->dir);
	json_t *rlimits = json_array();
	bool read_only = json_is_true(json_object_get(json_object_get(bundle, "root"), "readonly"));
	struct strv caps = { 0 };
	int r = check_paths(engine, req, err);

	if (r == 0)
		r = grant_capabilities(req->options, config, &caps, err);

	(void)json_object_set_new(config, "root",
				  json_pack("{s:s, s:b}", "path", merged, "readonly",
					    read_only || req->options->read_only));
	/* The host's is not ours to change. */
	if (!req->options->uts || strcmp(req->options->uts, "private") == 0)
		(void)json_object_set_new(config, "hostname", json_string(req->hostname));
	else
		(void)json_object_del(config, "hostname");
	if (r == 0)
		r = set_process(req, &caps, config, err);
	if (r == 0)
		r = set_mounts(engine, req, config, err);
	if (r == 0)
		r = set_linux(req, &caps, config, err);
	(void)json_array_extend(rlimits,
				json_object_get(json_object_get(config, "process"), "rlimits"));
	if (r == 0)
		r = limit_add_rlimits(req->options, rlimits, err);
	(void)json_object_set_new(member(config, "process"), "rlimits", rlimits);
	strv_done(&caps);
	if (r == 0)
		*ret = steal_ptr(&config);
	return r;
}

/* src/runtime/spec.c - the document as a whole; process and resources are in files of their own. */
#include "runtime/spec.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/spec_read.h"

#define MOUNTS_MAX  4096
#define DEVICES_MAX 4096
#define HOOKS_MAX   256

/* root, names */

static char *path_in(const char *bundle, const char *path)
{
	return path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", bundle, path);
}

static void read_root(struct json_reader *rd, const json_t *doc, const char *bundle,
		      struct spec *spec)
{
	const json_t *root = json_read_object(rd, doc, "root");
	struct json_place place = json_enter(rd, "root");
	const char *path = json_need_string(rd, root, "path");

	spec->root = path_in(bundle, path);
	if (!path[0])
		json_fail(rd, "path", "is empty");
	spec->root_read_only = json_read_bool(rd, root, "readonly", false);
	json_leave(rd, place);
}

static bool has_parent_step(const char *path)
{
	size_t len = strlen(path);

	return strstr(path, "/../") || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
	       (len >= 3 && strcmp(path + len - 3, "/..") == 0);
}

/* mounts */

static void read_mount(struct json_reader *rd, const json_t *obj, const char *bundle, size_t index,
		       struct spec_mount *m)
{
	const char *dest = json_need_string(rd, obj, "destination");
	const char *source = json_read_string(rd, obj, "source", NULL);
	const char *type = json_read_string(rd, obj, "type", NULL);
	struct strv words = { 0 };

	json_read_strings(rd, obj, "options", &words);
	mount_options_parse(&words, &m->options);
	strv_done(&words);
	if (type && strcmp(type, "bind") == 0)
		m->options.bind = true;
	m->type = xstrdup(m->options.bind ? "bind" : type ? type : "none");
	/* Older documents say "proc" and mean "/proc"; the specification has allowed it since 1.2.
	 */
	m->destination = dest[0] == '/' ? xstrdup(dest) : xasprintf("/%s", dest);
	if (has_parent_step(dest))
		json_fail(rd, "destination", "'%s' has a '..' in it", dest);
	if (strcmp(m->destination, "/") == 0 && index > 0)
		json_fail(rd, "destination", "'/' can only be the first mount");
	if (m->options.bind && (!source || !source[0]))
		json_fail(rd, "source", "is missing, and a bind mount needs one");
	else if (m->options.bind)
		m->source = path_in(bundle, source);
	else
		m->source = xstrdup_or_null(source);
}

static void read_mounts(struct json_reader *rd, const json_t *doc, const char *bundle,
			struct spec *spec)
{
	const json_t *list = json_read_array(rd, doc, "mounts");
	struct json_place outer = json_enter(rd, "mounts");
	size_t n = json_array_size(list);

	if (n > MOUNTS_MAX)
		json_fail(rd, NULL, "more than %d mounts", MOUNTS_MAX);
	else if (n > 0)
		spec->mounts = xcalloc(n, sizeof(*spec->mounts));
	for (size_t i = 0; spec->mounts && i < n; i++) {
		struct json_place place = json_enter_index(rd, i);

		read_mount(rd, json_array_get(list, i), bundle, i, &spec->mounts[spec->nmounts++]);
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

/* namespaces and mappings */

static const struct {
	const char *name;
	int flag;
} namespace_types[] = {
	{ "mount", CLONE_NEWNS },      { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },       { "uts", CLONE_NEWUTS }, { "user", CLONE_NEWUSER },
	{ "cgroup", CLONE_NEWCGROUP },
};

static int namespace_flag(struct json_reader *rd, const json_t *obj)
{
	const char *type = json_need_string(rd, obj, "type");

	for (size_t i = 0; i < ARRAY_SIZE(namespace_types); i++)
		if (strcmp(namespace_types[i].name, type) == 0)
			return namespace_types[i].flag;
	json_fail(rd, "type", "'%s' is not a namespace that is known here", type);
	return 0;
}

static void read_namespaces(struct json_reader *rd, const json_t *linux_part, struct spec *spec)
{
	const json_t *list = json_read_array(rd, linux_part, "namespaces");
	struct json_place outer = json_enter(rd, "namespaces");
	size_t n = MIN(json_array_size(list), ARRAY_SIZE(namespace_types) + 1);

	if (n > 0)
		spec->namespaces = xcalloc(n, sizeof(*spec->namespaces));
	for (size_t i = 0; i < n; i++) {
		struct json_place place = json_enter_index(rd, i);
		const json_t *obj = json_array_get(list, i);
		int flag = namespace_flag(rd, obj);
		const char *path = json_read_string(rd, obj, "path", NULL);
		const char *before;

		if (spec_namespace_find(spec, flag, &before))
			json_fail(rd, "type", "is there twice");
		if (path && path[0] && path[0] != '/')
			json_fail(rd, "path", "'%s' does not start with /", path);
		spec->namespaces[spec->nnamespaces++] =
			(struct spec_namespace) { .flag = flag,
						  .path = path && path[0] ? xstrdup(path) : NULL };
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

static void read_maps(struct json_reader *rd, const json_t *linux_part, const char *key,
		      struct spec_map **ret, size_t *ret_n)
{
	const json_t *list = json_read_array(rd, linux_part, key);
	struct json_place outer = json_enter(rd, key);
	size_t n = json_array_size(list);

	if (n > SPEC_MAPS_MAX)
		json_fail(rd, NULL, "more than %d mappings", SPEC_MAPS_MAX);
	else if (n > 0)
		*ret = xcalloc(n, sizeof(**ret));
	for (size_t i = 0; *ret && i < n; i++) {
		struct json_place place = json_enter_index(rd, i);
		const json_t *obj = json_array_get(list, i);

		(*ret)[(*ret_n)++] = (struct spec_map) {
			.inside = (uint32_t)json_read_int(rd, obj, "containerID", 0, UINT32_MAX, 0),
			.outside = (uint32_t)json_read_int(rd, obj, "hostID", 0, UINT32_MAX, 0),
			.count = (uint32_t)json_read_int(rd, obj, "size", 1, UINT32_MAX, 1),
		};
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

/* devices */

static void read_device(struct json_reader *rd, const json_t *obj, struct spec_device *d)
{
	const char *type = json_need_string(rd, obj, "type");
	mode_t kind = strcmp(type, "b") == 0 ? S_IFBLK : strcmp(type, "p") == 0 ? S_IFIFO : S_IFCHR;

	d->path = xstrdup(json_need_string(rd, obj, "path"));
	if (d->path[0] != '/' || has_parent_step(d->path))
		json_fail(rd, "path", "'%s' is not an absolute path", d->path);
	if (!type[0] || type[1] || !strchr("bcup", type[0]))
		json_fail(rd, "type", "'%s' is not b, c, u or p", type);
	d->major = json_read_int(rd, obj, "major", 0, UINT32_MAX, 0);
	d->minor = json_read_int(rd, obj, "minor", 0, UINT32_MAX, 0);
	d->mode = kind | (mode_t)json_read_int(rd, obj, "fileMode", 0, 0177777, 0666);
	d->mode = kind | (d->mode & 07777);
	d->uid = (uid_t)json_read_int(rd, obj, "uid", 0, UINT32_MAX - 1, 0);
	d->gid = (gid_t)json_read_int(rd, obj, "gid", 0, UINT32_MAX - 1, 0);
}

static void read_devices(struct json_reader *rd, const json_t *linux_part, struct spec *spec)
{
	const json_t *list = json_read_array(rd, linux_part, "devices");
	struct json_place outer = json_enter(rd, "devices");
	size_t n = json_array_size(list);

	if (n > DEVICES_MAX)
		json_fail(rd, NULL, "more than %d devices", DEVICES_MAX);
	else if (n > 0)
		spec->devices = xcalloc(n, sizeof(*spec->devices));
	for (size_t i = 0; spec->devices && i < n; i++) {
		struct json_place place = json_enter_index(rd, i);

		read_device(rd, json_array_get(list, i), &spec->devices[spec->ndevices++]);
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

/* the rest of linux */

/* "net.ipv4.ip_forward" is /proc/sys/net/ipv4/ip_forward; no name may leave that tree. */
static void read_sysctls(struct json_reader *rd, const json_t *linux_part, struct spec *spec)
{
	json_t *obj = json_read_object(rd, linux_part, "sysctl"), *value;
	const char *key;

	json_object_foreach (obj, key, value) {
		if (!json_is_string(value) || !key[0] || key[0] == '/' || key[0] == '.' ||
		    strstr(key, "..") || has_parent_step(key) || strchr(key, '='))
			json_fail(rd, "sysctl", "'%s' is not a kernel parameter with a text", key);
		else
			strv_addf(&spec->sysctls, "%s=%s", key, json_string_value(value));
	}
}

static void read_propagation(struct json_reader *rd, const json_t *linux_part, struct spec *spec)
{
	const char *text = json_read_string(rd, linux_part, "rootfsPropagation", "");
	struct strv words = { 0 };
	struct mount_options o = { 0 };

	if (!text[0])
		return;
	strv_add(&words, text);
	mount_options_parse(&words, &o);
	if (!o.propagation)
		json_fail(rd, "rootfsPropagation", "'%s' is not a propagation", text);
	spec->root_propagation = o.propagation;
	spec->root_propagation_recursive = o.propagation_recursive;
	mount_options_done(&o);
	strv_done(&words);
}

static void check_absolute(struct json_reader *rd, const char *key, const struct strv *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		if (paths->items[i][0] != '/' || has_parent_step(paths->items[i]))
			json_fail(rd, key, "'%s' is not an absolute path", paths->items[i]);
}

/* Without it the container would have less of a fence than its document says. */
static void refuse_unsupported(struct json_reader *rd, const json_t *obj)
{
	static const char *const keys[] = { "mountLabel", "intelRdt", "netDevices",
					    "memoryPolicy" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json_t *value = json_object_get(obj, keys[i]);
		bool is_set = json_is_string(value) ? json_string_length(value) > 0
						    : json_object_size(value) > 0;

		if (is_set)
			json_fail(rd, keys[i], "is not supported");
	}
}

static void read_linux(struct json_reader *rd, const json_t *doc, struct spec *spec)
{
	const json_t *obj = json_read_object(rd, doc, "linux"), *resources;
	struct json_place place = json_enter(rd, "linux"), inner;

	refuse_unsupported(rd, obj);
	read_namespaces(rd, obj, spec);
	read_maps(rd, obj, "uidMappings", &spec->uid_maps, &spec->nuid_maps);
	read_maps(rd, obj, "gidMappings", &spec->gid_maps, &spec->ngid_maps);
	read_devices(rd, obj, spec);
	read_sysctls(rd, obj, spec);
	read_propagation(rd, obj, spec);
	spec->cgroups_path = xstrdup_or_null(json_read_string(rd, obj, "cgroupsPath", NULL));
	json_read_strings(rd, obj, "maskedPaths", &spec->masked_paths);
	json_read_strings(rd, obj, "readonlyPaths", &spec->read_only_paths);
	check_absolute(rd, "maskedPaths", &spec->masked_paths);
	check_absolute(rd, "readonlyPaths", &spec->read_only_paths);
	spec->seccomp = json_incref(json_read_object(rd, obj, "seccomp"));
	resources = json_read_object(rd, obj, "resources");
	inner = json_enter(rd, "resources");
	spec_read_limits(rd, resources, &spec->limits);
	json_leave(rd, inner);
	json_leave(rd, place);
}

/* hooks */

static void read_hook(struct json_reader *rd, const json_t *obj, struct spec_hook *hook)
{
	hook->path = xstrdup(json_need_string(rd, obj, "path"));
	if (hook->path[0] != '/')
		json_fail(rd, "path", "'%s' does not start with /", hook->path);
	json_read_strings(rd, obj, "args", &hook->args);
	if (hook->args.n == 0)
		strv_add(&hook->args, hook->path);
	json_read_strings(rd, obj, "env", &hook->env);
	hook->timeout_s = (int)json_read_int(rd, obj, "timeout", 1, INT32_MAX / 1000, 0);
}

static void read_hooks(struct json_reader *rd, const json_t *doc, struct spec *spec)
{
	static const char *const keys[N_HOOK_KINDS] = {
		[HOOK_PRESTART] = "prestart",
		[HOOK_CREATE_RUNTIME] = "createRuntime",
		[HOOK_CREATE_CONTAINER] = "createContainer",
		[HOOK_START_CONTAINER] = "startContainer",
		[HOOK_POSTSTART] = "poststart",
		[HOOK_POSTSTOP] = "poststop",
	};
	const json_t *all = json_read_object(rd, doc, "hooks");
	struct json_place outer = json_enter(rd, "hooks");

	for (size_t kind = 0; kind < N_HOOK_KINDS; kind++) {
		const json_t *list = json_read_array(rd, all, keys[kind]);
		struct spec_hooks *hooks = &spec->hooks[kind];
		struct json_place place = json_enter(rd, keys[kind]);
		size_t n = json_array_size(list);

		if (n > HOOKS_MAX)
			json_fail(rd, NULL, "more than %d hooks", HOOKS_MAX);
		else if (n > 0)
			hooks->items = xcalloc(n, sizeof(*hooks->items));
		for (size_t i = 0; hooks->items && i < n; i++)
			read_hook(rd, json_array_get(list, i), &hooks->items[hooks->n++]);
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

/* the whole */

static void check_version(struct json_reader *rd, const json_t *doc, struct spec *spec)
{
	spec->version = xstrdup(json_need_string(rd, doc, "ociVersion"));
	if (strncmp(spec->version, "1.", 2) != 0)
		json_fail(rd, "ociVersion", "'%s' is not 1.x", spec->version);
}

static bool makes_no_sense(const struct spec *spec)
{
	const char *path;

	return (spec->hostname || spec->domainname) &&
	       !spec_namespace_find(spec, CLONE_NEWUTS, &path);
}

int spec_from_json(const json_t *doc, const char *bundle, struct spec **ret, struct error *err)
{
	cleanup(spec_cleanup) struct spec *spec = xnew(struct spec);
	autofree char *name = xasprintf("%s/config.json", bundle);
	const json_t *process;
	struct json_reader rd;

	json_reader_init(&rd, name, err);
	if (!json_is_object(doc))
		return error_set(err, -EBADMSG, "%s: expected an object", name);
	check_version(&rd, doc, spec);
	read_root(&rd, doc, bundle, spec);
	process = json_read_object(&rd, doc, "process");
	if (process) {
		struct json_place place = json_enter(&rd, "process");

		spec->process = spec_read_process(&rd, process);
		json_leave(&rd, place);
	}
	spec->hostname = xstrdup_or_null(json_read_string(&rd, doc, "hostname", NULL));
	spec->domainname = xstrdup_or_null(json_read_string(&rd, doc, "domainname", NULL));
	read_mounts(&rd, doc, bundle, spec);
	read_linux(&rd, doc, spec);
	read_hooks(&rd, doc, spec);
	spec->annotations = json_incref(json_read_object(&rd, doc, "annotations"));
	if (rd.r == 0 && makes_no_sense(spec))
		json_fail(&rd, "hostname", "needs a uts namespace, or it would be the host's");
	if (rd.r == 0 && !spec_has_new(spec, CLONE_NEWNS))
		json_fail(&rd, "linux", "needs a mount namespace of its own");
	if (rd.r < 0)
		return rd.r;
	*ret = steal_ptr(&spec);
	return 0;
}

/* Docker writes an unlimited rlimit as 2^64 - 1, which is past what a JSON integer is here.  Texts
 * that hold the number stay as they are.
 */
static void replace_unlimited(char *text, size_t len)
{
	static const char number[] = "18446744073709551615";
	const size_t digits = sizeof(number) - 1;
	bool in_text = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && in_text)
			i++;
		else if (text[i] == '"')
			in_text = !in_text;
		else if (!in_text && i > 0 && len - i > digits && strchr(": [,\t\n", text[i - 1]) &&
			 memcmp(text + i, number, digits) == 0 &&
			 strchr(",}] \t\r\n", text[i + digits])) {
			memset(text + i, ' ', digits);
			memcpy(text + i, "-1", 2);
		}
	}
}

int spec_parse(const char *bytes, size_t len, const char *bundle, struct spec **ret,
	       struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *text = xmalloc(len + 1);
	int r;

	memcpy(text, bytes, len);
	replace_unlimited(text, len);
	r = json_load_bytes(text, len, "config.json", &doc, err);
	return r < 0 ? r : spec_from_json(doc, bundle, ret, err);
}

int spec_load(const char *bundle, struct spec **ret, struct error *err)
{
	autofree char *path = xasprintf("%s/config.json", bundle), *text = NULL;
	size_t len;
	int r = file_read_regular_at(AT_FDCWD, path, JSON_SIZE_MAX, &text, &len, err);

	if (r == 0)
		r = spec_parse(text, len, bundle, ret, err);
	return r < 0 ? error_wrap(err, r, "load bundle %s", bundle) : 0;
}

bool spec_namespace_find(const struct spec *spec, int flag, const char **ret_path)
{
	for (size_t i = 0; i < spec->nnamespaces; i++) {
		if (spec->namespaces[i].flag != flag)
			continue;
		*ret_path = spec->namespaces[i].path;
		return true;
	}
	return false;
}

bool spec_has_new(const struct spec *spec, int flag)
{
	const char *path;

	return spec_namespace_find(spec, flag, &path) && !path;
}

static void hooks_done(struct spec_hooks *hooks)
{
	for (size_t i = 0; i < hooks->n; i++) {
		free(hooks->items[i].path);
		strv_done(&hooks->items[i].args);
		strv_done(&hooks->items[i].env);
	}
	free(hooks->items);
}

void spec_free(struct spec *spec)
{
	if (!spec)
		return;
	free(spec->version);
	spec_process_free(spec->process);
	free(spec->root);
	free(spec->hostname);
	free(spec->domainname);
	for (size_t i = 0; i < spec->nmounts; i++) {
		free(spec->mounts[i].destination);
		free(spec->mounts[i].type);
		free(spec->mounts[i].source);
		mount_options_done(&spec->mounts[i].options);
	}
	free(spec->mounts);
	for (size_t i = 0; i < spec->nnamespaces; i++)
		free(spec->namespaces[i].path);
	free(spec->namespaces);
	free(spec->uid_maps);
	free(spec->gid_maps);
	for (size_t i = 0; i < spec->ndevices; i++)
		free(spec->devices[i].path);
	free(spec->devices);
	free(spec->cgroups_path);
	cgroup_limits_done(&spec->limits);
	strv_done(&spec->sysctls);
	strv_done(&spec->masked_paths);
	strv_done(&spec->read_only_paths);
	json_decref(spec->seccomp);
	for (size_t i = 0; i < N_HOOK_KINDS; i++)
		hooks_done(&spec->hooks[i]);
	json_decref(spec->annotations);
	free(spec);
}

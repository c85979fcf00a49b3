/* src/engine/grant.c */
#include "engine/grant.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/options.h"
#include "kernel/capability.h"
#include "runtime/default_spec.h"

#define DEVICE_DEPTH_MAX 4 /* /dev/bus/usb/001/001 */

static char *capability_canonical(const char *text)
{
	bool whole = strncasecmp(text, "CAP_", 4) == 0;
	char *name = xasprintf("CAP_%s", whole ? text + 4 : text);

	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return name;
}

static void caps_add_all(struct strv *caps)
{
	const char *name;

	for (int cap = 0; (name = capability_name(cap)); cap++)
		if (!strv_has(caps, name))
			strv_add(caps, name);
}

static void caps_remove(struct strv *caps, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < caps->n; i++) {
		if (strcmp(caps->items[i], name) == 0)
			free(caps->items[i]);
		else
			caps->items[kept++] = caps->items[i];
	}
	caps->n = kept;
	if (caps->items)
		caps->items[kept] = NULL;
}

static int caps_check(const char *text, const char *name, struct error *err)
{
	if (capability_parse(name) < 0)
		return error_set(err, -EINVAL,
				 "unknown capability '%s'; capabilities(7) lists them", text);
	return 0;
}

/* An ALL goes first in either list, so that "--cap-drop ALL --cap-add CHOWN" means what it says. */
int grant_capabilities(const struct container_options *options, const json_t *config,
		       struct strv *ret, struct error *err)
{
	const struct strv *add = &options->cap_add, *drop = &options->cap_drop;
	const json_t *defaults = json_object_get(
		json_object_get(json_object_get(config, "process"), "capabilities"), "bounding");
	bool none = strv_has(drop, "ALL") || strv_has(drop, "all");
	const json_t *item;
	size_t index;
	int r = 0;

	if (!none)
		json_array_foreach (defaults, index, item)
			strv_add(ret, json_string_value(item));
	if (strv_has(add, "ALL") || strv_has(add, "all") || (options->privileged && !none))
		caps_add_all(ret);
	for (size_t i = 0; r == 0 && i < add->n; i++) {
		autofree char *name = capability_canonical(add->items[i]);

		if (strcmp(name, "CAP_ALL") == 0)
			continue;
		r = caps_check(add->items[i], name, err);
		if (r == 0 && !strv_has(ret, name))
			strv_add(ret, name);
	}
	for (size_t i = 0; r == 0 && i < drop->n; i++) {
		autofree char *name = capability_canonical(drop->items[i]);

		if (strcmp(name, "CAP_ALL") == 0)
			continue;
		r = caps_check(drop->items[i], name, err);
		caps_remove(ret, name);
	}
	return r;
}

/* Inheritable stays empty: with it, file capabilities of the image could come back in a non-root
 * process (CVE-2022-24769).
 */
json_t *grant_capability_sets(const struct strv *caps)
{
	json_t *sets = json_object();

	(void)json_object_set_new(sets, "bounding", json_from_strv(caps));
	(void)json_object_set_new(sets, "effective", json_from_strv(caps));
	(void)json_object_set_new(sets, "permitted", json_from_strv(caps));
	return sets;
}

/* security-opt */

struct security {
	bool unconfined;
	bool no_new_privileges;
	const char *profile;
};

static int security_parse(const struct strv *texts, struct security *ret, struct error *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->items[i];

		if (strcmp(text, "seccomp=unconfined") == 0)
			ret->unconfined = true;
		else if (strncmp(text, "seccomp=", 8) == 0 && text[8])
			ret->profile = text + 8;
		else if (strcmp(text, "no-new-privileges") == 0 ||
			 strcmp(text, "no-new-privileges=true") == 0 ||
			 strcmp(text, "no-new-privileges:true") == 0)
			ret->no_new_privileges = true;
		else
			return error_set(err, -EINVAL,
					 "--security-opt '%s': expected seccomp=unconfined, "
					 "seccomp=FILE or no-new-privileges",
					 text);
	}
	return 0;
}

/* A profile file is the "seccomp" object of the OCI specification. */
static int apply_seccomp(const struct security *s, bool privileged, const struct strv *caps,
			 json_t *linux_part, struct error *err)
{
	json_t *profile = NULL;
	int r;

	if (s->unconfined || (privileged && !s->profile)) {
		(void)json_object_del(linux_part, "seccomp");
		return 0;
	}
	if (!s->profile) {
		(void)json_object_set_new(linux_part, "seccomp", default_seccomp(caps));
		return 0;
	}
	r = json_load_given(s->profile, &profile, err);
	if (r < 0)
		return error_wrap(err, r, "--security-opt seccomp");
	(void)json_object_set_new(linux_part, "seccomp", profile);
	return 0;
}

/* --privileged */

static bool device_is_ours(const char *name)
{
	static const char *const own[] = { "pts",     "shm",  "fd",     "mqueue",
					   "console", "ptmx", "stdin",  "null",
					   "zero",    "full", "random", "urandom",
					   "tty",     "core", "stdout", "stderr" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

static void add_device(json_t *devices, const char *path, const struct stat *st)
{
	(void)json_array_append_new(devices,
				    json_pack("{s:s, s:s, s:I, s:I, s:i, s:i, s:i}", "path", path,
					      "type", S_ISBLK(st->st_mode) ? "b" : "c", "major",
					      (json_int_t)major(st->st_rdev), "minor",
					      (json_int_t)minor(st->st_rdev), "fileMode",
					      (int)(st->st_mode & 07777), "uid", (int)st->st_uid,
					      "gid", (int)st->st_gid));
}

/* The recursion is bounded by depth; /dev is the host's own. */
static void add_devices(json_t *devices, const char *dir,
			unsigned depth) /* NOLINT(misc-no-recursion) */
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		autofree char *path = xasprintf("%s/%s", dir, entry->d_name);
		struct stat st;

		if (entry->d_name[0] == '.' || (depth == 0 && device_is_ours(entry->d_name)))
			continue;
		if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			add_device(devices, path, &st);
		else if (S_ISDIR(st.st_mode) && depth + 1 < DEVICE_DEPTH_MAX)
			add_devices(devices, path, depth + 1);
	}
	if (d)
		(void)closedir(d);
}

/* /sys and the cgroup tree lose their "ro". */
static void make_writable(json_t *mounts)
{
	json_t *mount, *options;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		const char *dest = json_string_value(json_object_get(mount, "destination"));

		options = json_object_get(mount, "options");
		if (!dest || strncmp(dest, "/sys", 4) != 0)
			continue;
		for (size_t k = json_array_size(options); k > 0; k--) {
			const char *word = json_string_value(json_array_get(options, k - 1));

			if (word && strcmp(word, "ro") == 0)
				(void)json_array_remove(options, k - 1);
		}
	}
}

/* --device */

static json_t *member_array(json_t *parent, const char *key)
{
	json_t *list = json_object_get(parent, key);

	if (json_is_array(list))
		return list;
	list = json_array();
	(void)json_object_set_new(parent, key, list);
	return list;
}

static void allow_device(json_t *linux_part, const struct stat *st, const char *access)
{
	json_t *rules = member_array(json_object_get(linux_part, "resources"), "devices");

	(void)json_array_append_new(rules,
				    json_pack("{s:b, s:s, s:I, s:I, s:s}", "allow", 1, "type",
					      S_ISBLK(st->st_mode) ? "b" : "c", "major",
					      (json_int_t)major(st->st_rdev), "minor",
					      (json_int_t)minor(st->st_rdev), "access", access));
}

static bool is_access(const char *text)
{
	return *text && !text[strspn(text, "rwm")];
}

/* "/dev/fuse", "/dev/fuse:/dev/other", "/dev/fuse:r", all three. */
static int apply_device(const char *text, json_t *linux_part, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *path = strsep(&rest, ":");
	const char *inside = path, *access = "rwm";
	struct stat st;

	if (rest && is_access(rest)) {
		access = rest;
	} else if (rest) {
		inside = strsep(&rest, ":");
		access = rest ? rest : access;
	}
	if (*path != '/' || *inside != '/' || !is_access(access))
		return error_set(err, -EINVAL,
				 "--device '%s': expected PATH[:PATH-INSIDE][:rwm], such as "
				 "/dev/fuse or /dev/sda:/dev/disk:r",
				 text);
	if (stat(path, &st) < 0)
		return error_sys(err, -errno, "--device %s", path);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, -EINVAL, "--device %s: that is no device; --volume shows %s",
				 path, S_ISDIR(st.st_mode) ? "a directory" : "a file");
	add_device(member_array(linux_part, "devices"), inside, &st);
	allow_device(linux_part, &st, access);
	return 0;
}

static void apply_privileged(json_t *config, json_t *linux_part)
{
	json_t *devices = json_array(), *resources = json_object_get(linux_part, "resources");

	add_devices(devices, "/dev", 0);
	(void)json_object_set_new(linux_part, "devices", devices);
	(void)json_object_set_new(resources, "devices",
				  json_pack("[{s:b, s:s}]", "allow", 1, "access", "rwm"));
	(void)json_object_del(linux_part, "maskedPaths");
	(void)json_object_del(linux_part, "readonlyPaths");
	make_writable(json_object_get(config, "mounts"));
}

int grant_apply(const struct container_options *options, const struct strv *caps, json_t *config,
		struct error *err)
{
	json_t *linux_part = json_object_get(config, "linux");
	struct security security = { 0 };
	int r = security_parse(&options->security, &security, err);

	if (r == 0)
		r = apply_seccomp(&security, options->privileged, caps, linux_part, err);
	if (r < 0)
		return r;
	if (security.no_new_privileges)
		(void)json_object_set_new(json_object_get(config, "process"), "noNewPrivileges",
					  json_true());
	if (options->privileged)
		apply_privileged(config, linux_part);
	for (size_t i = 0; r == 0 && i < options->devices.n; i++)
		r = apply_device(options->devices.items[i], linux_part, err);
	return r;
}

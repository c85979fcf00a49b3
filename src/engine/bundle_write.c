/* src/engine/bundle_write.c */
#include "engine/bundle_write.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/copy.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"
#include "engine/making.h"
#include "engine/options.h"
#include "engine/root.h"
#include "image/image.h"
#include "kernel/overlay.h"

#define ROOTFS "rootfs"

static void set(json_t *doc, const char *key, const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	if (value)
		(void)json_object_set_new(doc, key, value);
}

/* image-spec conversion.md, "Annotation Fields": what config.json has no place for. */
static json_t *annotations(const struct image *image, const json_t *own)
{
	const struct image_config *c = &image->config;
	autofree char *id = xasprintf("sha256:%s", image->id), *ports = xstrdup("");
	autofree char *words = json_dumps(own, JSON_COMPACT | JSON_SORT_KEYS);
	json_t *doc = json_object();

	for (size_t i = 0; i < c->exposed_ports.n; i++) {
		autofree char *before = ports;

		ports = xasprintf("%s%s%s", before, i ? "," : "", c->exposed_ports.items[i]);
	}
	set(doc, "org.opencontainers.image.os", c->os);
	set(doc, "org.opencontainers.image.architecture", c->architecture);
	set(doc, "org.opencontainers.image.created", c->created);
	set(doc, "org.opencontainers.image.stopSignal", c->stop_signal);
	set(doc, "org.opencontainers.image.exposedPorts", ports);
	set(doc, "io.strake.image", id);
	set(doc, "io.strake.image.config", words); /* for the way back, see stage.c */
	return doc;
}

/* What lies in our own directories is not there for another runtime. */
static bool is_ours(const struct engine *engine, const json_t *mount)
{
	const char *source = json_string_value(json_object_get(mount, "source"));
	const char *dest = json_string_value(json_object_get(mount, "destination"));
	size_t len = strlen(engine->root);

	return strcmp(dest ? dest : "", "/") == 0 ||
	       (source && strncmp(source, engine->root, len) == 0 && source[len] == '/' &&
		!strstr(source, "/volumes/"));
}

static void keep_mounts(const struct engine *engine, json_t *config)
{
	json_t *kept = json_array(), *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount)
		if (!is_ours(engine, mount))
			(void)json_array_append(kept, mount);
	(void)json_object_set_new(config, "mounts", kept);
}

/* A network namespace of its own instead of one that we keep. */
static void forget_paths(json_t *config)
{
	json_t *linux_part = json_object_get(config, "linux"), *ns;
	size_t i;

	json_array_foreach (json_object_get(linux_part, "namespaces"), i, ns)
		(void)json_object_del(ns, "path");
	(void)json_object_del(linux_part, "cgroupsPath");
}

static char *hostname_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	char *host = xstrdup(slash ? slash + 1 : name);

	host[strcspn(host, ":@")] = '\0';
	return host;
}

static void adapt(const struct engine *engine, const struct container_options *options,
		  json_t *config)
{
	bool read_only = json_is_true(json_object_get(json_object_get(config, "root"), "readonly"));
	autofree char *host = hostname_of(options->image);

	keep_mounts(engine, config);
	forget_paths(config);
	(void)json_object_set_new(config, "root",
				  json_pack("{s:s, s:b}", "path", ROOTFS, "readonly", read_only));
	if (!options->hostname)
		(void)json_object_set_new(config, "hostname", json_string(host));
}

static int annotate(const struct engine *engine, const struct image *image, json_t *config,
		    struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", image->id);
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = json_load_at(engine->root_fd, path, &doc, err);

	if (r == 0)
		(void)json_object_set_new(config, "annotations",
					  annotations(image, json_object_get(doc, "config")));
	return r;
}

static int make_dir(const char *dir, int *ret, bool *ret_made, struct error *err)
{
	*ret_made = mkdir(dir, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return error_sys(err, -errno, "make directory %s", dir);
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		return error_sys(err, -errno, "open %s", dir);
	if (mkdirat(*ret, ROOTFS, 0755) < 0)
		return errno == EEXIST && !*ret_made
			       ? error_set(err, -EEXIST, "%s has a root already", dir)
			       : error_sys(err, -errno, "make %s/" ROOTFS, dir);
	return 0;
}

static int copy_root(struct engine *engine, const struct image *image, int bundle, const char *dir,
		     struct error *err)
{
	autoclose int view = -1, to = -1;
	struct strv lower = { 0 };
	int r;

	image_lower_dirs(engine->root, image, &lower);
	r = overlay_view(&lower, "the image", &view, err);
	strv_done(&lower);
	if (r < 0) {
		image_name_lost(engine->root, image, NULL, err);
		return r;
	}
	to = openat(bundle, ROOTFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return error_sys(err, -errno, "open %s/" ROOTFS, dir);
	return copy_tree(view, to, err);
}

int bundle_write(struct engine *engine, const struct container_options *options, const char *dir,
		 struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	cleanup(json_cleanup) json_t *config = NULL;
	autoclose int bundle = -1;
	bool made = false, ours = false;
	int r = image_find(engine->db, engine->root_fd, options->image, &image, err);

	if (r == 0)
		r = making_print(engine, options, &config, err);
	if (r < 0)
		return r;
	adapt(engine, options, config);
	r = annotate(engine, image, config, err);
	if (r == 0)
		r = make_dir(dir, &bundle, &made, err);
	ours = r == 0;
	if (r == 0)
		r = copy_root(engine, image, bundle, dir, err);
	if (r == 0)
		r = json_save_at(bundle, "config.json", config, true, err);
	/* A root that is not whole looks like one. */
	if (r < 0 && ours)
		ignore_result(dir_remove_at(bundle, ROOTFS, NULL));
	if (r < 0 && made)
		(void)rmdir(dir);
	return r < 0 ? error_wrap(err, r, "bundle %s", dir) : 0;
}

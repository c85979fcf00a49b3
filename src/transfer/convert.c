/* src/transfer/convert.c */
#include "transfer/convert.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "transfer/manifest.h"
#include "transfer/remote.h"

static const struct {
	const char *docker, *oci;
} types[] = {
	{ "application/vnd.docker.distribution.manifest.v2+json",
	  "application/vnd.oci.image.manifest.v1+json" },
	{ "application/vnd.docker.distribution.manifest.list.v2+json",
	  "application/vnd.oci.image.index.v1+json" },
	{ "application/vnd.docker.container.image.v1+json",
	  "application/vnd.oci.image.config.v1+json" },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip",
	  "application/vnd.oci.image.layer.v1.tar+gzip" },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd",
	  "application/vnd.oci.image.layer.v1.tar+zstd" },
	{ "application/vnd.docker.image.rootfs.diff.tar",
	  "application/vnd.oci.image.layer.v1.tar" },
};

static const char *oci_type(const char *type)
{
	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].docker, type) == 0)
			return types[i].oci;
	return NULL;
}

bool convert_is_needed(const struct manifest *m)
{
	return oci_type(m->type) != NULL;
}

static void convert_type(json_t *obj)
{
	const char *type = oci_type(json_string_value(json_object_get(obj, "mediaType")));

	if (type)
		(void)json_object_set_new(obj, "mediaType", json_string(type));
}

static void convert_child(json_t *obj, const struct converted *children, size_t n)
{
	const char *digest = json_string_value(json_object_get(obj, "digest"));

	for (size_t i = 0; digest && i < n; i++) {
		if (strcmp(children[i].from, digest) != 0)
			continue;
		(void)json_object_set_new(obj, "digest", json_string(children[i].to));
		(void)json_object_set_new(obj, "size", json_integer((json_int_t)children[i].len));
		return;
	}
}

int convert_to_oci(struct remote_document *doc, const struct converted *children, size_t n,
		   struct error *err)
{
	cleanup(json_cleanup) json_t *obj = NULL;
	json_t *item;
	char *text;
	size_t i;
	int r = json_load_bytes(doc->bytes, doc->len, "manifest", &obj, err);

	if (r < 0)
		return r;
	convert_type(obj);
	convert_type(json_object_get(obj, "config"));
	json_array_foreach (json_object_get(obj, "layers"), i, item)
		convert_type(item);
	json_array_foreach (json_object_get(obj, "manifests"), i, item) {
		convert_type(item);
		convert_child(item, children, n);
	}
	text = json_dumps(obj, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (!text)
		return error_set(err, -EBADMSG, "the manifest is no JSON");
	free(doc->bytes);
	doc->bytes = text;
	doc->len = strlen(text);
	free(doc->type);
	doc->type = xstrdup(json_string_value(json_object_get(obj, "mediaType")));
	checksum_digest_of(doc->bytes, doc->len, doc->digest);
	return 0;
}

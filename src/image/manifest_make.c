/* src/image/manifest_make.c */
#include "image/manifest_make.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"

struct names {
	const char *manifest, *config, *none, *gzip, *zstd;
};

static const struct names names[] = {
	[MANIFEST_OCI] = {
		"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.oci.image.config.v1+json",
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
	},
	[MANIFEST_DOCKER] = {
		"application/vnd.docker.distribution.manifest.v2+json",
		"application/vnd.docker.container.image.v1+json",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
	},
};

static json_t *descriptor(const char *type, const char *hex, int64_t size)
{
	autofree char *digest = xasprintf("sha256:%s", hex);

	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
			 (json_int_t)size);
}

static json_t *annotations_of(const struct strv *texts)
{
	json_t *all = json_object();

	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->items[i];
		size_t n = strcspn(text, "=");
		autofree char *name = xstrndup(text, n);

		(void)json_object_set_new(all, name, json_string(text[n] ? text + n + 1 : ""));
	}
	return all;
}

char *manifest_make(const struct manifest_request *req, const char **ret_type)
{
	const struct names *t = &names[req->kind];
	json_t *list = json_array(), *doc;
	char *text;

	for (size_t i = 0; i < req->n; i++) {
		const struct layer_info *info = &req->layers[i].info;
		const char *type = strcmp(info->packing, "gzip") == 0   ? t->gzip
				   : strcmp(info->packing, "zstd") == 0 ? t->zstd
									: t->none;

		(void)json_array_append_new(list, descriptor(type, info->blob, info->blob_size));
	}
	doc = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", t->manifest,
			"config", descriptor(t->config, req->config_id, (int64_t)req->config_len),
			"layers", list);
	if (req->annotations && req->annotations->n)
		(void)json_object_set_new(doc, "annotations", annotations_of(req->annotations));
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	*ret_type = t->manifest;
	return text;
}

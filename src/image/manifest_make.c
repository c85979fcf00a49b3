/* src/image/manifest_make.c */
#include "image/manifest_make.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"

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

char *manifest_make(enum manifest_kind kind, const char *config_id, size_t config_len,
		    const struct layer_blob *layers, size_t n, const char **ret_type)
{
	const struct names *t = &names[kind];
	json_t *list = json_array(), *doc;
	char *text;

	for (size_t i = 0; i < n; i++) {
		const struct layer_info *info = &layers[i].info;
		const char *type = strcmp(info->packing, "gzip") == 0   ? t->gzip
				   : strcmp(info->packing, "zstd") == 0 ? t->zstd
									: t->none;

		(void)json_array_append_new(list, descriptor(type, info->blob, info->blob_size));
	}
	doc = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", t->manifest,
			"config", descriptor(t->config, config_id, (int64_t)config_len), "layers",
			list);
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	*ret_type = t->manifest;
	return text;
}

/* src/cmd/image_remote.c - strake-image remote-inspect: an image that is in a registry only. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/registry_options.h"
#include "image/document.h"
#include "image/platform.h"

static int print_json(const json_t *doc)
{
	return json_dumpf(doc, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

/* Down to the manifest of one platform; *ret_index gets what lists it, or stays NULL. */
static int fetch_one(struct asking *a, const char *platform, struct remote_document *ret,
		     json_t **ret_index, struct error *err)
{
	char ref[160], wish[PLATFORM_LEN];
	int r = platform_parse(platform, wish, err);

	(void)snprintf(ref, sizeof(ref), "%s", remote_name_ref(&a->name));
	for (unsigned depth = 0; r == 0 && depth < 5; depth++) {
		struct document doc = { .n = 0 };
		int i;

		remote_document_done(ret);
		r = remote_manifest(remote_channel(a->remote), a->name.repository, ref, ret, err);
		if (r == 0)
			r = document_parse(ret->bytes, ret->len, "manifest", &doc, err);
		if (r < 0 || !doc.is_index) {
			document_done(&doc);
			return r;
		}
		if (!*ret_index)
			r = json_load_bytes(ret->bytes, ret->len, "index", ret_index, err);
		i = platform_choose(&doc, wish);
		if (r == 0 && i < 0)
			r = error_set(err, -ENOENT, "it has no variant for %s", wish);
		if (r == 0)
			(void)part_digest(&doc.parts[i], ref);
		document_done(&doc);
	}
	return r < 0 ? r : error_set(err, -ELOOP, "indexes lie too deep in each other");
}

static json_t *platforms_of(const json_t *index)
{
	json_t *list = json_array(), *item;
	size_t i;

	json_array_foreach (json_object_get(index, "manifests"), i, item) {
		const json_t *p = json_object_get(item, "platform");
		const char *variant = text_of(p, "variant");

		if (strcmp(text_of(p, "os"), "unknown") != 0)
			(void)json_array_append_new(list,
						    json_sprintf("%s/%s%s%s", text_of(p, "os"),
								 text_of(p, "architecture"),
								 *variant ? "/" : "", variant));
	}
	return list;
}

static int describe(struct asking *a, const struct remote_document *d, const json_t *index,
		    const struct remote_document *config, const char *top, struct error *err)
{
	cleanup(json_cleanup) json_t *manifest = NULL, *doc = NULL, *out = json_object();
	json_t *layer, *layers = json_array();
	size_t i;
	int64_t size = 0;
	int r = json_load_bytes(d->bytes, d->len, "manifest", &manifest, err);

	if (r == 0)
		r = json_load_bytes(config->bytes, config->len, "config", &doc, err);
	json_array_foreach (json_object_get(manifest, "layers"), i, layer) {
		size += json_integer_value(json_object_get(layer, "size"));
		(void)json_array_append(layers, layer);
	}
	(void)json_object_set_new(out, "Name", json_string(a->canonical));
	(void)json_object_set_new(out, "Digest", json_string(top));
	(void)json_object_set_new(out, "ManifestDigest", json_string(d->digest));
	(void)json_object_set_new(out, "MediaType", json_string(d->type));
	if (index)
		(void)json_object_set_new(out, "Platforms", platforms_of(index));
	(void)json_object_set_new(out, "DownloadSize", json_integer(size));
	(void)json_object_set_new(out, "Layers", layers);
	(void)json_object_set_new(out, "Image", doc ? json_incref(doc) : json_null());
	return r < 0 ? r : print_json(out);
}

static int inspect(struct asking *a, const struct remote_inspect_args *args, struct error *err)
{
	struct remote_document d = { .len = 0 }, config = { .len = 0 };
	cleanup(json_cleanup) json_t *index = NULL;
	struct document doc = { .n = 0 };
	char top[136];
	int r = asking_digest(a, top, err);

	if (r == 0)
		r = fetch_one(a, args->platform, &d, &index, err);
	if (r == 0)
		r = document_parse(d.bytes, d.len, "manifest", &doc, err);
	if (r == 0) {
		char digest[PART_DIGEST_LEN];

		r = remote_blob(remote_channel(a->remote), a->name.repository,
				part_digest(&doc.parts[0], digest), doc.parts[0].size, &config,
				err);
	}
	if (r == 0 && args->config)
		r = fwrite(config.bytes, 1, config.len, stdout) == config.len ? 0 : -EIO;
	else if (r == 0)
		r = describe(a, &d, index, &config, top, err);
	document_done(&doc);
	remote_document_done(&d);
	remote_document_done(&config);
	return r;
}

static int remote_inspect_run(const void *globals, const void *data, int argc, char **argv,
			      struct error *err)
{
	const struct remote_inspect_args *args = data;
	struct remote_document d = { .len = 0 };
	cleanup(asking_done) struct asking a;
	int r = asking_open(&a, &args->registry, argv[0], err);

	(void)globals;
	(void)argc;
	if (r < 0)
		return r;
	if (!args->raw)
		return inspect(&a, args, err);
	r = remote_manifest(remote_channel(a.remote), a.name.repository, remote_name_ref(&a.name),
			    &d, err);
	if (r == 0)
		r = fwrite(d.bytes, 1, d.len, stdout) == d.len ? 0 : -EIO;
	remote_document_done(&d);
	return r;
}

const struct cmd cmd_image_remote_inspect = {
	.name = "remote-inspect",
	.operands = "IMAGE",
	.help = "Describe an image in a registry",
	.opts = remote_inspect_opts,
	.args_size = sizeof(struct remote_inspect_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = remote_inspect_run,
};

/* src/transfer/manifest.c */
#include "transfer/manifest.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "image/platform.h"

void manifest_done(struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->items[i].type);
		free(m->items[i].platform);
	}
	free(m->items);
	free(m->type);
	free(m->artifact_type);
	*m = (struct manifest) { .n = 0 };
}

static char *read_platform(struct json_reader *rd, const json_t *obj)
{
	const json_t *platform = json_read_object(rd, obj, "platform");
	const char *os = json_read_string(rd, platform, "os", "");
	const char *arch = json_read_string(rd, platform, "architecture", "");
	const char *variant = json_read_string(rd, platform, "variant", "");

	return *os || *arch ? xasprintf("%s/%s%s%s", os, arch, *variant ? "/" : "", variant)
			    : xstrdup("");
}

static void read_item(struct json_reader *rd, const json_t *obj, struct manifest *m)
{
	const char *digest = json_need_string(rd, obj, "digest");
	int64_t size = json_read_int(rd, obj, "size", 0, INT64_MAX, -1);
	struct descriptor *d = &m->items[m->n];

	if (rd->r == 0 && !checksum_is_digest(digest))
		json_fail(rd, "digest", "'%.100s' is no sha256 or sha512 digest", digest);
	if (rd->r == 0 && size < 0)
		json_fail(rd, "size", "is missing");
	if (rd->r < 0)
		return;
	*d = (struct descriptor) { .size = size };
	(void)snprintf(d->digest, sizeof(d->digest), "%s", digest);
	d->type = xstrdup(json_read_string(rd, obj, "mediaType", ""));
	d->platform = read_platform(rd, obj);
	d->foreign = strstr(d->type, "foreign") || strstr(d->type, "nondistributable");
	m->n++;
}

static void read_items(struct json_reader *rd, const json_t *list, struct manifest *m)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		struct json_place place = json_enter_index(rd, i);

		if (json_is_object(item))
			read_item(rd, item, m);
		else
			json_fail(rd, NULL, "expected an object");
		json_leave(rd, place);
	}
}

static void read_subject(struct json_reader *rd, const json_t *obj, struct manifest *m)
{
	const json_t *subject = json_read_object(rd, obj, "subject");
	const char *digest = json_read_string(rd, subject, "digest", "");

	if (*digest && !checksum_is_digest(digest))
		json_fail(rd, "subject", "'%.100s' is no digest", digest);
	else
		(void)snprintf(m->subject, sizeof(m->subject), "%s", digest);
}

static int read_manifest(struct json_reader *rd, const json_t *obj, struct manifest *m)
{
	const json_t *config = json_read_object(rd, obj, "config");
	const json_t *layers = json_read_array(rd, obj, "layers");
	const json_t *blobs = json_read_array(rd, obj, "blobs");
	const json_t *manifests = json_read_array(rd, obj, "manifests");
	size_t room =
		json_array_size(layers) + json_array_size(manifests) + json_array_size(blobs) + 1;

	if (rd->r == 0 && json_object_get(obj, "fsLayers"))
		json_fail(rd, NULL,
			  "this is a manifest of Docker's old schema 1; the registry or the tool "
			  "that wrote it can make schema 2 of it");
	else if (rd->r == 0 && manifests && (layers || config))
		json_fail(rd, NULL, "it is a manifest and an index at once");
	else if (rd->r == 0 && !manifests && !config && !blobs)
		json_fail(rd, NULL, "it is neither a manifest nor an index");
	else if (rd->r == 0 && room > MANIFEST_ITEMS_MAX)
		json_fail(rd, NULL, "it lists %zu things; %d are the most", room,
			  MANIFEST_ITEMS_MAX);
	if (rd->r < 0)
		return rd->r;
	m->is_index = manifests != NULL;
	m->type = xstrdup(json_read_string(rd, obj, "mediaType", ""));
	m->artifact_type = xstrdup(json_read_string(rd, obj, "artifactType", ""));
	m->items = xcalloc(room, sizeof(*m->items));
	if (config)
		read_item(rd, config, m);
	read_items(rd, layers, m);
	read_items(rd, blobs, m);
	read_items(rd, manifests, m);
	read_subject(rd, obj, m);
	return rd->r;
}

int manifest_parse(const char *bytes, size_t len, struct manifest *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *obj = NULL;
	struct manifest m = { .n = 0 };
	struct json_reader rd;
	int r = json_load_bytes(bytes, len, "manifest", &obj, err);

	if (r < 0)
		return r;
	json_reader_init(&rd, "manifest", err);
	r = json_is_object(obj) ? read_manifest(&rd, obj, &m)
				: error_set(err, -EBADMSG, "manifest: expected an object");
	if (r < 0)
		manifest_done(&m);
	else
		*ret = m;
	return r;
}

int manifest_choose(const struct manifest *index, const char *wish, struct error *err)
{
	int best = -1, best_rank = -1;

	for (size_t i = 0; i < index->n; i++) {
		int rank = platform_rank(index->items[i].platform, wish);

		if (rank < 0 || (best >= 0 && rank >= best_rank))
			continue;
		best = (int)i;
		best_rank = rank;
	}
	if (best < 0)
		return error_set(
			err, -ENOENT,
			"it has no variant for %s; --platform chooses another, --all takes "
			"all",
			wish);
	return best;
}

/* src/transfer/pull.c - start at image_pull(). */
#include "transfer/pull.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "base/space.h"
#include "base/strv.h"
#include "image/alias.h"
#include "image/document.h"
#include "image/image.h"
#include "image/event.h"
#include "image/incoming.h"
#include "image/partial.h"
#include "image/platform.h"
#include "image/record.h"
#include "image/reference.h"
#include "image/unpack.h"
#include "transfer/feed.h"
#include "transfer/policy.h"
#include "transfer/progress.h"
#include "transfer/remote.h"
#include "transfer/checksum.h"

#define INDEX_DEPTH 4
#define LAYERS_MAX  127 /* Docker's limit; overlayfs has 500 */

struct puller {
	const struct pull_request *req;
	struct pull_result *ret;
	struct incoming in;
	struct remote_name name;
	struct remote_document
		documents[INDEX_DEPTH + 1]; /* indexes from the outermost, manifest */
	size_t n;
	struct document manifest;
	char *config, id[CHECKSUM_DIGEST_MAX];
	size_t config_len;
	struct unpack_layer *layers;
	size_t nlayers;
	struct error *err;
};

void pull_result_done(struct pull_result *r)
{
	free(r->rate);
	r->rate = NULL;
}

/* documents: what the name stands for, down to one manifest */

static int choose(struct puller *p, const struct document *index, char ret[CHECKSUM_DIGEST_MAX])
{
	char wish[PLATFORM_LEN];
	int i, r = platform_parse(p->req->platform, wish, p->err);

	if (r < 0)
		return r;
	i = platform_choose(index, wish);
	if (i < 0)
		return error_set(p->err, -ENOENT,
				 "it has no variant for %s; 'strake image inspect --remote' lists "
				 "those that it has, --platform chooses another",
				 wish);
	(void)part_digest(&index->parts[i], ret);
	return 0;
}

static int fetch_documents(struct puller *p)
{
	char ref[CHECKSUM_DIGEST_MAX + 128];

	(void)snprintf(ref, sizeof(ref), "%s", remote_name_ref(&p->name));
	for (;;) {
		struct remote_document *d = &p->documents[p->n];
		struct document doc = { .n = 0 };
		int r;

		if (p->n > INDEX_DEPTH)
			return error_set(p->err, -ELOOP,
					 "indexes lie more than %d deep in each other",
					 INDEX_DEPTH);
		r = remote_manifest(remote_channel(p->req->remote), p->name.repository, ref, d,
				    p->err);
		if (r < 0)
			return r;
		p->n++;
		r = document_parse(d->bytes, d->len, "manifest", &doc, p->err);
		if (r < 0)
			return r;
		if (!doc.is_index) {
			p->manifest = doc;
			return 0;
		}
		r = choose(p, &doc, ref);
		document_done(&doc);
		if (r < 0)
			return r;
	}
}

/* Docker's and OCI's names of what we unpack; what else there is, is no image for us. */
static int check_types(struct puller *p)
{
	const struct document *m = &p->manifest;
	const char *type = m->parts[0].media_type;

	if (*type && !strstr(type, "image.config.v1+json") &&
	    !strstr(type, "container.image.v1+json"))
		return error_set(
			p->err, -EMEDIUMTYPE,
			"this is no image but an artifact (%.80s); 'strake copy' can fetch "
			"it into a directory",
			type);
	for (size_t i = 1; i < m->n; i++) {
		type = m->parts[i].media_type;
		if (strstr(type, "foreign") || strstr(type, "nondistributable"))
			return error_set(p->err, -EMEDIUMTYPE,
					 "layer %zu is not handed out by registries (%.80s)", i,
					 type);
		if (*type && !strstr(type, ".tar"))
			return error_set(p->err, -EMEDIUMTYPE,
					 "layer %zu is of a kind that is not known (%.80s)", i,
					 type);
	}
	if (m->n - 1 > LAYERS_MAX)
		return error_set(p->err, -E2BIG, "the image has %zu layers; %d are the most",
				 m->n - 1, LAYERS_MAX);
	return 0;
}

/* config */

static int fetch_config(struct puller *p)
{
	const struct part *part = &p->manifest.parts[0];
	struct remote_document d = { .len = 0 };
	char digest[CHECKSUM_DIGEST_MAX];
	autofree char *path = alias_path(part_digest(part, digest));
	int r = file_read_at(p->in.root_fd, path, DOCUMENT_MAX, &p->config, &p->config_len, NULL);

	if (r == 0 && checksum_bytes(p->config, p->config_len, digest, "config", NULL) == 0)
		return 0;
	free(steal_ptr(&p->config));
	r = remote_blob(remote_channel(p->req->remote), p->name.repository, digest, part->size, &d,
			p->err);
	if (r < 0)
		return error_wrap(p->err, r, "config");
	p->config = steal_ptr(&d.bytes);
	p->config_len = d.len;
	remote_document_done(&d);
	return 0;
}

static int take_layers(struct puller *p, const struct strv *diff_ids)
{
	p->layers = xcalloc(MAX(diff_ids->n, 1U), sizeof(*p->layers));
	p->nlayers = diff_ids->n;
	for (size_t i = 0; i < diff_ids->n; i++) {
		const struct part *part = &p->manifest.parts[i + 1];
		struct unpack_layer *layer = &p->layers[i];

		if (!digest_is_valid(diff_ids->items[i]))
			return error_set(p->err, -EBADMSG, "config: '%.80s' is not a sha256 digest",
					 diff_ids->items[i]);
		(void)snprintf(layer->info.diff_id, sizeof(layer->info.diff_id), "%s",
			       diff_ids->items[i] + 7);
		(void)snprintf(layer->info.blob, sizeof(layer->info.blob), "%s", part->digest);
		(void)snprintf(layer->sha512, sizeof(layer->sha512), "%s", part->sha512);
		layer->info.blob_size = part->size;
		if (part->size < 0)
			return error_set(p->err, -EBADMSG, "manifest: layer %zu has no size",
					 i + 1);
	}
	return 0;
}

static int parse_config(struct puller *p)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct image_config config = { .user = NULL };
	struct strv diff_ids = { 0 };
	struct json_reader rd;
	int r = json_load_bytes(p->config, p->config_len, "image config", &doc, p->err);

	if (r == 0)
		r = image_config_parse(doc, &config, p->err);
	/* What an index chose is what it says; one manifest alone has to be asked. */
	if (r == 0 && p->n == 1) {
		r = platform_demand(config.os, config.architecture, p->req->platform, p->err);
		if (r < 0)
			image_config_done(&config);
	}
	if (r < 0)
		return r;
	(void)snprintf(p->ret->platform, sizeof(p->ret->platform), "%.20s/%.30s",
		       config.os ? config.os : "linux",
		       config.architecture ? config.architecture : "unknown");
	image_config_done(&config);
	json_reader_init(&rd, "image config", p->err);
	json_read_strings(&rd, json_read_object(&rd, doc, "rootfs"), "diff_ids", &diff_ids);
	r = rd.r;
	if (r == 0 && diff_ids.n != p->manifest.n - 1)
		r = error_set(p->err, -EBADMSG, "the image has %zu layers but names %zu diff IDs",
			      p->manifest.n - 1, diff_ids.n);
	if (r == 0)
		r = take_layers(p, &diff_ids);
	strv_done(&diff_ids);
	return r;
}

/* the whole */

/* Told before: several come and are unpacked at once, by threads. */
static void narrate(const struct puller *p)
{
	char chain[DIGEST_HEX_LEN + 1] = "", digest[CHECKSUM_DIGEST_MAX];
	const char *root = p->req->root;

	if (explain_mode() == EXPLAIN_OFF)
		return;
	(void)explain_note("%s is %s there; strake-registry asked, a process without rights",
			   p->req->name, p->documents[0].digest);
	for (size_t i = 0; i < p->nlayers; i++) {
		const char *diff_id = p->layers[i].info.diff_id;

		(void)part_digest(&p->manifest.parts[i + 1], digest);
		chain_next(chain, diff_id);
		(void)explain_note("layer %zu of %zu, unless it is there: blob %s, whose digest is "
				   "checked as it comes,",
				   i + 1, p->nlayers, digest);
		(void)explain("unpacked into a directory that nobody looks into yet,",
			      "tar -xC %s/tmp/layer # its archive has to be sha256:%s", sq(root),
			      diff_id);
		(void)explain("whole and on the disk: its name is the digest of all up to it",
			      "sync -f %s/tmp/layer && mv %s/tmp/layer %s/layers/%s", sq(root),
			      sq(root), sq(root), chain);
	}
	(void)explain_note("manifest and configuration under their digests in %s/blobs/sha256",
			   root);
	(void)explain_note("one transaction in state.db: the image, its layers, its name %s",
			   p->req->name);
}

static int fetch_layers(struct puller *p)
{
	cleanup(feed_done) struct feed feed = { 0 };
	struct unpack_request req = {
		.in = &p->in,
		.layers = p->layers,
		.n = p->nlayers,
		.open = feed_open,
		.close = feed_close,
		.waits = feed_waits,
		.data = &feed,
	};
	int r = feed_init(&feed, p->req->remote, p->name.repository, p->req->root_fd, p->layers,
			  p->nlayers, p->err);

	if (r < 0)
		return r;
	feed.progress = p->req->progress;
	for (size_t i = 0; i < p->nlayers; i++)
		progress_add(p->req->progress, part_hex(&p->manifest.parts[i + 1]),
			     p->layers[i].info.blob_size, &p->layers[i].got);
	progress_start(p->req->progress, "pulled");
	r = unpack_layers(&req, p->err);
	progress_stop(p->req->progress);
	p->ret->bytes = feed_bytes(&feed);
	if (r == 0)
		feed_forget(&feed);
	return r;
}

static const char *type_of(const struct remote_document *d, const char *own)
{
	return own && *own ? own : d->type;
}

static int record(struct puller *p)
{
	struct image_document documents[INDEX_DEPTH + 1];
	struct strv names = { 0 };
	struct image_record rec = {
		.id = p->ret->id,
		.config = p->config,
		.config_len = p->config_len,
		.config_sha512 = p->manifest.parts[0].sha512,
		.layers = p->layers,
		.nlayers = p->nlayers,
		.manifest = &documents[p->n - 1],
		.indexes = documents,
		.nindexes = p->n - 1,
		.names = &names,
	};
	char hex[INDEX_DEPTH + 1][CHECKSUM_DIGEST_MAX];
	int r;

	for (size_t i = 0; i < p->n; i++) {
		const struct remote_document *d = &p->documents[i];

		/* A name may hold a sha512 digest; the store's own are sha256. */
		checksum_digest_of(d->bytes, d->len, hex[i]);
		documents[i] = (struct image_document) {
			.digest = hex[i] + 7,
			.sha512 = strncmp(d->digest, "sha512:", 7) == 0 ? d->digest + 7 : NULL,
			.media_type = type_of(d, i + 1 == p->n ? p->manifest.media_type : NULL),
			.bytes = d->bytes,
			.len = d->len,
		};
	}
	strv_add(&names, p->req->name);
	r = image_record(p->req->db, &p->in, &rec, p->err);
	if (r == 0)
		image_event(p->req->root_fd, "pull", rec.id, &names);
	strv_done(&names);
	return r;
}

static int check_policy(struct puller *p)
{
	const struct policy_question q = {
		.transport = "docker",
		.name = p->req->name,
		.digest = p->documents[0].digest,
		.manifest = p->documents[0].bytes,
		.manifest_len = p->documents[0].len,
		.remote = p->req->remote,
		.repository = p->name.repository,
	};

	return p->req->policy ? policy_check(p->req->policy, &q, p->err) : 0;
}

static int pull(struct puller *p)
{
	char wish[PLATFORM_LEN];
	int r = platform_parse(p->req->platform, wish, p->err);

	if (r == 0)
		r = fetch_documents(p);
	if (r == 0)
		r = check_types(p);
	if (r == 0)
		r = check_policy(p);
	if (r == 0)
		r = incoming_open(p->req->root, p->req->root_fd, &p->in, p->err);
	if (r == 0)
		(void)partial_prune(p->req->root_fd, PARTIAL_AGE_MAX);
	if (r == 0)
		r = fetch_config(p);
	if (r == 0)
		r = parse_config(p);
	if (r == 0) {
		narrate(p);
		r = fetch_layers(p);
	}
	if (r < 0)
		return r;
	checksum_digest_of(p->config, p->config_len, p->id);
	(void)snprintf(p->ret->id, sizeof(p->ret->id), "%s", p->id + 7);
	(void)snprintf(p->ret->digest, sizeof(p->ret->digest), "%s", p->documents[0].digest);
	p->ret->layers = p->nlayers;
	for (size_t i = 0; i < p->nlayers; i++)
		p->ret->left_out += p->layers[i].left_out;
	p->ret->rate = steal_ptr(&p->documents[0].rate);
	return record(p);
}

int image_pull(const struct pull_request *req, struct pull_result *ret, struct error *err)
{
	struct puller p = { .req = req, .ret = ret, .in = INCOMING_INIT, .err = err };
	int r;

	remote_name_parse(req->name, &p.name);
	r = pull(&p);
	if (r < 0) {
		(void)error_wrap(err, r, "%s", req->name);
		space_explain(req->root, err);
	}
	for (size_t i = 0; i < p.n; i++)
		remote_document_done(&p.documents[i]);
	document_done(&p.manifest);
	free(p.config);
	free(p.layers);
	incoming_done(&p.in);
	if (r < 0 && p.nlayers > 0)
		image_sweep_failed(req->db, req->root_fd);
	remote_name_done(&p.name);
	return r;
}

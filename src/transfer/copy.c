/* src/transfer/copy.c - blobs first, several at once; then the manifest that needs them; an index
 * behind what it lists.
 */
#include "transfer/copy.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "image/platform.h"
#include "transfer/convert.h"
#include "transfer/place.h"
#include "transfer/policy.h"
#include "transfer/progress.h"

#define WORKERS       4
#define DEPTH_MAX     4
#define REFERRERS_MAX 1000
#define CONFIG_MAX    (4 << 20)

struct copier {
	const struct copy_request *req;
	struct copy_result *ret;
	struct error *err;
};

/* The blobs of one manifest, shared by the workers. */
struct batch {
	struct copier *c;
	const struct manifest *m;
	atomic_llong *got;
	pthread_mutex_t lock;
	size_t next;
	bool failed;
	struct error why;
};

static int copy_blob(struct batch *b, size_t i, struct error *err)
{
	const struct copy_request *req = b->c->req;
	const struct descriptor *d = &b->m->items[i];
	struct blob_file file = { .fd = -1 };
	bool there = false;
	int r;

	if (d->foreign)
		return 0;
	r = req->to->ops->has_blob(req->to, d, &there, err);
	if (r == 0 && !there)
		r = req->from->ops->get_blob(req->from, d,
					     req->to->tmp_fd >= 0 ? req->to->tmp_fd : req->tmp_fd,
					     &b->got[i], &file, err);
	if (r == 0 && !there)
		r = req->to->ops->put_blob(req->to, d, &file, err);
	if (file.fd >= 0)
		(void)close(file.fd);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&b->lock);
	if (there) {
		b->c->ret->skipped++;
	} else {
		b->c->ret->blobs++;
		b->c->ret->bytes += d->size;
	}
	(void)pthread_mutex_unlock(&b->lock);
	return 0;
}

static void *worker(void *data)
{
	struct batch *b = data;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		struct error why = { 0 };
		size_t i;

		(void)pthread_mutex_lock(&b->lock);
		i = b->failed ? b->m->n : b->next++;
		(void)pthread_mutex_unlock(&b->lock);
		if (i >= b->m->n)
			return NULL;
		if (copy_blob(b, i, &why) == 0)
			continue;
		(void)pthread_mutex_lock(&b->lock);
		if (!b->failed)
			b->why = why;
		b->failed = true;
		(void)pthread_mutex_unlock(&b->lock);
	}
}

static int copy_blobs(struct copier *c, const struct manifest *m)
{
	struct batch b = { .c = c, .m = m };
	pthread_t threads[WORKERS];
	size_t n = 0;

	b.got = xcalloc(MAX(m->n, 1U), sizeof(*b.got));
	(void)pthread_mutex_init(&b.lock, NULL);
	for (size_t i = 0; i < m->n; i++)
		progress_add(c->req->progress, strchr(m->items[i].digest, ':') + 1,
			     m->items[i].size, &b.got[i]);
	progress_start(c->req->progress, c->req->verb);
	while (n < MIN((size_t)WORKERS, m->n) && pthread_create(&threads[n], NULL, worker, &b) == 0)
		n++;
	if (n == 0)
		(void)worker(&b);
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	progress_stop(c->req->progress);
	(void)pthread_mutex_destroy(&b.lock);
	free(b.got);
	if (b.failed)
		*c->err = b.why;
	return b.failed ? b.why.code : 0;
}

/* documents */

static int copy_document(struct copier *c, const char *digest, bool top, unsigned depth,
			 struct converted *ret);

static int copy_children(struct copier *c, const struct manifest *index, unsigned depth,
			 struct converted *ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < index->n; i++)
		r = copy_document(c, index->items[i].digest, false, depth + 1, &ret[i]);
	return r;
}

static int copy_chosen(struct copier *c, const struct manifest *index, unsigned depth,
		       struct converted *ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	char wish[PLATFORM_LEN];
	int i = platform_parse(c->req->platform, wish, c->err);

	if (i == 0)
		i = manifest_choose(index, wish, c->err);
	return i < 0 ? i : copy_document(c, index->items[i].digest, true, depth + 1, ret);
}

static int demand_platform(struct copier *c, const char *text, size_t len)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = json_load_bytes(text, len, "image config", &doc, c->err);

	return r < 0 ? r
		     : platform_demand(json_string_value(json_object_get(doc, "os")),
				       json_string_value(json_object_get(doc, "architecture")),
				       c->req->platform, c->err);
}

/* A manifest that no index chose: its config says what it is for; an artifact's says nothing. */
static int check_single(struct copier *c, const struct manifest *m)
{
	const struct descriptor *d = m->items;
	struct blob_file file = { .fd = -1 };
	autofree char *text = NULL;
	atomic_llong got = 0;
	int r;

	if (!c->req->platform || m->n == 0 || d->size > CONFIG_MAX ||
	    (*d->type && !strstr(d->type, "image.config.v1+json") &&
	     !strstr(d->type, "container.image.v1+json")))
		return 0;
	r = c->req->from->ops->get_blob(c->req->from, d, c->req->tmp_fd, &got, &file, c->err);
	if (r < 0)
		return r;
	text = xmalloc((size_t)d->size + 1);
	if (pread(file.fd, text, (size_t)d->size, file.offset) != d->size)
		r = error_set(c->err, -EIO, "the image's config cannot be read");
	(void)close(file.fd);
	return r < 0 ? r : demand_platform(c, text, (size_t)d->size);
}

static int check_policy(struct copier *c, const struct remote_document *doc)
{
	const struct place *from = c->req->from;
	const struct policy_question q = {
		.transport = from->transport,
		.name = from->name,
		.digest = doc->digest,
		.manifest = doc->bytes,
		.manifest_len = doc->len,
		.remote = from->remote,
		.repository = from->repository,
	};

	return c->req->policy ? policy_check(c->req->policy, &q, c->err) : 0;
}

static int put(struct copier *c, struct remote_document *doc, struct manifest *m, bool top,
	       const struct converted *children)
{
	int r = 0;

	if (c->req->to->oci_only && convert_is_needed(m)) {
		r = convert_to_oci(doc, children, children ? m->n : 0, c->err);
		manifest_done(m);
		if (r == 0)
			r = manifest_parse(doc->bytes, doc->len, m, c->err);
	}
	return r < 0 ? r : c->req->to->ops->put_document(c->req->to, doc, m, top, c->err);
}

static int copy_parsed(struct copier *c, struct remote_document *doc, struct manifest *m, bool top,
		       unsigned depth, struct converted *ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	autofree struct converted *children = NULL;
	int r = 0;

	if (m->is_index && !c->req->all && top)
		return copy_chosen(c, m, depth, ret);
	if (m->is_index)
		children = xcalloc(m->n + 1, sizeof(*children));
	else if (depth == 0)
		r = check_single(c, m);
	if (r < 0)
		return r;
	r = m->is_index ? copy_children(c, m, depth, children) : copy_blobs(c, m);
	(void)snprintf(ret->from, sizeof(ret->from), "%s", doc->digest);
	if (r == 0)
		r = put(c, doc, m, top, children);
	(void)snprintf(ret->to, sizeof(ret->to), "%s", doc->digest);
	ret->len = doc->len;
	return r;
}

static int copy_document(struct copier *c, const char *digest, bool top, unsigned depth,
			 struct converted *ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	struct remote_document doc = { .len = 0 };
	struct manifest m = { .n = 0 };
	int r;

	if (depth > DEPTH_MAX)
		return error_set(c->err, -ELOOP, "indexes lie more than %d deep in each other",
				 DEPTH_MAX);
	r = c->req->from->ops->get_document(c->req->from, digest, &doc, c->err);
	if (r == 0)
		r = manifest_parse(doc.bytes, doc.len, &m, c->err);
	if (r == 0 && depth == 0)
		r = check_policy(c, &doc);
	if (r == 0)
		r = copy_parsed(c, &doc, &m, top, depth, ret);
	manifest_done(&m);
	remote_document_done(&doc);
	return r;
}

/* what refers to it */

static int copy_one_referrer(struct copier *c, const char *digest)
{
	struct converted copied;

	return checksum_is_digest(digest) ? copy_document(c, digest, false, 1, &copied)
					  : error_set(c->err, -EBADMSG, "a referrer has no digest");
}

/* cosign keeps its signatures under a tag, which no list of referrers has. */
static int copy_signatures(struct copier *c, const char *subject)
{
	static const char *const tails[] = { ".sig", ".att", ".sbom" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tails); i++) {
		struct remote_document doc = { .len = 0 };
		struct manifest m = { .n = 0 };
		autofree char *tag = xasprintf("%s%s", subject, tails[i]);

		tag[strcspn(tag, ":")] = '-';
		r = remote_manifest(remote_channel(c->req->from->remote), c->req->from->repository,
				    tag, &doc, c->err);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r == 0)
			r = manifest_parse(doc.bytes, doc.len, &m, c->err);
		if (r == 0)
			r = copy_blobs(c, &m);
		if (r == 0)
			r = place_put_tagged(c->req->to, &doc, &m, tag, c->err);
		manifest_done(&m);
		remote_document_done(&doc);
	}
	return r;
}

static int copy_referrers(struct copier *c, const char *subject)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	const struct place *from = c->req->from;
	const json_t *list, *item;
	size_t i;
	int r;

	if (!from->remote)
		return error_set(c->err, -EOPNOTSUPP,
				 "--referrers needs a registry to ask; %s is none", from->name);
	r = channel_call(remote_channel(from->remote),
			 json_pack("{s:s, s:s, s:s}", "op", "referrers", "name", from->repository,
				   "digest", subject),
			 NULL, 0, -1, &m, c->err);
	list = r == 0 ? json_object_get(m.doc, "manifests") : NULL;
	if (json_array_size(list) > REFERRERS_MAX)
		return error_set(c->err, -E2BIG, "%zu artifacts refer to it",
				 json_array_size(list));
	json_array_foreach (list, i, item) {
		const char *digest = json_string_value(json_object_get(item, "digest"));

		if (r == 0)
			r = copy_one_referrer(c, digest ? digest : "");
	}
	return r < 0 ? r : copy_signatures(c, subject);
}

int image_copy(const struct copy_request *req, struct copy_result *ret, struct error *err)
{
	struct copier c = { .req = req, .ret = ret, .err = err };
	struct converted top = { .len = 0 };
	char wish[PLATFORM_LEN];
	int r = platform_parse(req->platform, wish, err);

	if (r == 0)
		r = copy_document(&c, NULL, true, 0, &top);

	(void)snprintf(ret->digest, sizeof(ret->digest), "%s", top.to);
	if (r == 0 && req->referrers)
		r = copy_referrers(&c, top.from);
	if (r == 0)
		r = req->to->ops->finish(req->to, err);
	/* Whose disk it is, the blob does not know. */
	return r == -ENOSPC || r == -EDQUOT
		       ? error_wrap(err, r, "write to %s:%s", req->to->transport, req->to->name)
		       : r;
}

/* src/registry/op_read.c - manifests and blobs, towards us. */
#include <string.h>

#include "base/alloc.h"
#include "image/reference.h"
#include "registry/op.h"

#define ACCEPT                                                                                     \
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "    \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                              \
	"application/vnd.docker.distribution.manifest.v2+json, "                                   \
	"application/vnd.oci.artifact.manifest.v1+json;q=0.9, "                                    \
	"application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1, "                        \
	"application/vnd.docker.distribution.manifest.v1+json;q=0.1, */*;q=0.05"

#define SIZE_MAX_BLOB (1LL << 40) /* 1 TiB: no layer is larger */

/* What is behind the media type is about encodings that JSON does not have. */
static void set_type(struct op *op, const struct http_response *r)
{
	const char *type = http_header(r, "content-type");
	autofree char *plain = type ? xstrndup(type, strcspn(type, "; \t")) : NULL;

	if (plain)
		(void)json_object_set_new(op->answer, "type", json_string(plain));
}

static void set_header(struct op *op, const struct http_response *r, const char *header,
		       const char *key)
{
	const char *value = http_header(r, header);

	if (value)
		(void)json_object_set_new(op->answer, key, json_string(value));
}

/* How often one may pull is told with every manifest; it is of use when little is left. */
static void set_rate(struct op *op, const struct http_response *r)
{
	set_header(op, r, "ratelimit-limit", "rateLimit");
	set_header(op, r, "ratelimit-remaining", "rateRemaining");
}

struct manifest_try {
	const char *ref, *method;
};

static int try_manifest(struct op *op, struct endpoint *e, void *data, struct error *err)
{
	const struct manifest_try *t = data;
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	autofree char *path = xasprintf("%s/manifests/%s", e->repo, t->ref);
	struct call c = CALL_INIT;
	int r;

	c.method = t->method;
	c.path = path;
	c.accept = ACCEPT;
	c.body_max = WIRE_BODY_MAX;
	r = session_call(op->session, e, &c, &answer, err);
	if (r == 0)
		r = op_expect(e, &answer, 200, 200, err);
	if (r == -EMSGSIZE)
		return error_set(err, r, "%s: the manifest is larger than %u MiB", e->host,
				 WIRE_BODY_MAX >> 20);
	if (r < 0)
		return r;
	set_type(op, &answer);
	set_header(op, &answer, "docker-content-digest", "digest");
	set_header(op, &answer, "content-length", "length");
	set_rate(op, &answer);
	buf_reset(&op->body);
	buf_add(&op->body, buf_text(&answer.body), answer.body.len);
	return 0;
}

static int manifest_by(struct op *op, const char *method, struct error *err)
{
	struct manifest_try t = {
		.method = method,
		.ref = json_need_string(&op->rd, op->request->doc, "ref"),
	};

	if (op->rd.r < 0)
		return error_set(err, op->rd.r, "the request names no manifest");
	return op_each_place(op, strchr(t.ref, ':') != NULL, try_manifest, &t, err);
}

int op_manifest(struct op *op, struct error *err)
{
	return manifest_by(op, "GET", err);
}

int op_head(struct op *op, struct error *err)
{
	return manifest_by(op, "HEAD", err);
}

/* blobs */

struct blob_try {
	const char *digest;
	int64_t size;   /* as the manifest says */
	int64_t offset; /* what is there already; grows from place to place */
	int fd;         /* -1: kept in the answer */
};

static int try_blob(struct op *op, struct endpoint *e, void *data, struct error *err)
{
	struct blob_try *t = data;
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	autofree char *path = xasprintf("%s/blobs/%s", e->repo, t->digest);
	struct call c = CALL_INIT;
	int r;

	c.path = path;
	c.sink_fd = t->fd;
	c.sink_offset = t->offset;
	c.sink_size = t->size;
	c.body_max = (size_t)MIN(t->size, WIRE_BODY_MAX);
	r = session_call(op->session, e, &c, &answer, err);
	if (t->fd >= 0)
		t->offset = c.sink_offset;
	if (r == 0)
		r = op_expect(e, &answer, 200, t->fd >= 0 ? 206 : 200, err);
	if (r == -EMSGSIZE)
		return error_set(err, -EBADMSG,
				 "%s sends more than the %lld bytes that its manifest promises",
				 e->host, (long long)t->size);
	if (r < 0)
		return r;
	if (t->fd >= 0 && t->offset != t->size)
		return error_set(err, -EBADMSG,
				 "%s sends %lld bytes where its manifest promises %lld", e->host,
				 (long long)t->offset, (long long)t->size);
	if (t->fd < 0)
		buf_add(&op->body, buf_text(&answer.body), answer.body.len);
	return 0;
}

static int read_blob(struct op *op, struct blob_try *t, struct error *err)
{
	t->digest = json_need_string(&op->rd, op->request->doc, "digest");
	t->size = json_read_int(&op->rd, op->request->doc, "size", 0, SIZE_MAX_BLOB, 0);
	t->offset = json_read_int(&op->rd, op->request->doc, "offset", 0, SIZE_MAX_BLOB, 0);
	if (op->rd.r < 0)
		return error_set(err, op->rd.r, "the request is no request for a blob");
	/* Nothing to fetch: a whole partial file, or the empty blob. */
	if (t->fd >= 0 && t->offset >= t->size)
		return 0;
	return op_each_place(op, true, try_blob, t, err);
}

int op_document(struct op *op, struct error *err)
{
	struct blob_try t = { .fd = -1 };

	return read_blob(op, &t, err);
}

int op_blob(struct op *op, struct error *err)
{
	struct blob_try t = { .fd = op->request->fd };

	if (t.fd < 0)
		return error_set(err, -EINVAL, "the request has no descriptor beside it");
	return read_blob(op, &t, err);
}

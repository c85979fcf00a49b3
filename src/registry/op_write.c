/* src/registry/op_write.c - blobs and manifests, towards a registry.
 *
 * A small blob goes in one PUT, a larger one in PATCHes: after a broken connection the registry
 * says how much it has, and we go on from there.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "registry/op.h"

#define EMPTY_BLOB   "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PUT_MAX      (16LL << 20) /* larger ones can be resumed */
#define CHUNK_MAX    (1LL << 40)
#define RESTARTS_MAX 3

struct upload {
	struct op *op;
	struct endpoint *e;
	const char *digest;
	int64_t size, offset;
	int64_t start; /* of the blob in its file */
	int64_t chunk; /* 0: all that is left */
	char *location;
	unsigned tries, restarts;
};

/* Nothing but to find out how this registry is spoken with, for writing. */
int op_greet(struct op *op, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	struct endpoint *e = op_target(op);
	/* The blob that everybody knows the digest of: the empty one. */
	autofree char *path = xasprintf("%s/blobs/" EMPTY_BLOB, e ? e->repo : "");
	struct call c = CALL_INIT;
	int r;

	if (!e)
		return error_set(err, -EINVAL, "the request names no repository");
	c.method = "HEAD";
	c.path = path;
	c.actions = "pull,push";
	r = session_call(op->session, e, &c, &answer, err);
	return r < 0 ? r : op_expect(e, &answer, 200, 404, err);
}

/* A 404 is an answer here, and some registries know no HEAD for a while after a mount. */
int op_exists(struct op *op, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	const char *digest = json_need_string(&op->rd, op->request->doc, "digest");
	struct endpoint *e = op_target(op);
	autofree char *path = xasprintf("%s/blobs/%s", e ? e->repo : "", digest);
	struct call c = CALL_INIT;
	int r;

	if (!e || op->rd.r < 0)
		return error_set(err, -EINVAL, "the request names no blob");
	c.method = "HEAD";
	c.path = path;
	c.actions = "pull,push";
	r = session_call(op->session, e, &c, &answer, err);
	if (r == 0)
		r = op_expect(e, &answer, 200, 404, err);
	if (r == 0)
		(void)json_object_set_new(op->answer, "exists", json_boolean(answer.status == 200));
	return r;
}

static void keep_location(struct upload *u, const struct http_response *answer)
{
	char *url = session_location(u->e, http_header(answer, "location"));

	if (!url)
		return;
	free(u->location);
	u->location = url;
}

static void keep_chunk_size(struct upload *u, const struct http_response *answer)
{
	const char *text = http_header(answer, "oci-chunk-min-length");
	int64_t least = text ? strtoll(text, NULL, 10) : 0;

	if (u->chunk > 0 && least > u->chunk && least < CHUNK_MAX)
		u->chunk = least;
}

/* POST: where to upload to.  With mount: 1 if the blob is there without an upload. */
static int start(struct upload *u, const char *query, const char *extra_scope, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	autofree char *path = NULL;
	struct call c = CALL_INIT;
	int r;

	assert(u->e);
	path = xasprintf("%s/blobs/uploads/%s", u->e->repo, query);

	c.method = "POST";
	c.path = path;
	c.actions = "pull,push";
	c.extra_scope = extra_scope;
	r = session_call(u->op->session, u->e, &c, &answer, err);
	if (r == 0)
		r = op_expect(u->e, &answer, 202, 201, err);
	if (r < 0)
		return r;
	if (answer.status == 201)
		return 1;
	free(steal_ptr(&u->location));
	keep_location(u, &answer);
	keep_chunk_size(u, &answer);
	u->offset = 0;
	return u->location ? 0
			   : error_set(err, -EPROTO, "%s starts an upload without saying where",
				       u->e->host);
}

int op_mount(struct op *op, struct error *err)
{
	const char *digest = json_need_string(&op->rd, op->request->doc, "digest");
	const char *from = json_need_string(&op->rd, op->request->doc, "from");
	struct upload u = { .op = op, .e = op_target(op), .digest = digest };
	autofree char *mount = url_escape(digest), *source = url_escape(from);
	autofree char *query = xasprintf("?mount=%s&from=%s", mount, source);
	autofree char *scope = xasprintf("repository:%s:pull", from);
	int r;

	if (!u.e || op->rd.r < 0)
		return error_set(err, -EINVAL, "the request names no blob");
	r = start(&u, query, scope, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(op->answer, "mounted", json_boolean(r == 1));
	/* The registry has begun an upload instead: use it. */
	if (u.location)
		(void)json_object_set_new(op->answer, "location", json_string(u.location));
	free(u.location);
	return 0;
}

static char *with_digest(const struct upload *u)
{
	autofree char *digest = url_escape(u->digest);

	assert(u->location);
	return xasprintf("%s%cdigest=%s", u->location, strchr(u->location, '?') ? '&' : '?',
			 digest);
}

/* One request with the next len bytes; the last one may end the upload, too. */
static int send_part(struct upload *u, bool last, int64_t len, struct http_response *answer,
		     struct error *err)
{
	autofree char *url = last ? with_digest(u) : xstrdup(u->location);
	autofree char *range = !last && len > 0 ? xasprintf("%lld-%lld", (long long)u->offset,
							    (long long)(u->offset + len - 1))
						: NULL;
	struct call c = CALL_INIT;

	c.method = last ? "PUT" : "PATCH";
	c.url = url;
	c.actions = "pull,push";
	c.content_type = "application/octet-stream";
	c.content_range = range;
	c.body_fd = u->op->request->fd;
	c.body_offset = u->start + u->offset;
	c.body_size = len;
	c.has_body = true;
	c.once = true;
	return session_call(u->op->session, u->e, &c, answer, err);
}

/* After a failure: how much does it have?  -ENOENT: the upload is gone. */
static int ask_offset(struct upload *u, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	struct call c = CALL_INIT;
	const char *range;
	int64_t have = 0;
	int r;

	c.url = u->location;
	c.actions = "pull,push";
	r = session_call(u->op->session, u->e, &c, &answer, err);
	if (r == 0)
		r = op_expect(u->e, &answer, 204, 202, err);
	if (r < 0)
		return r;
	range = http_header(&answer, "range");
	if (range && (header_upload_range(range, &have) < 0 || have > u->size))
		return error_set(err, -EPROTO, "%s says that it has '%.60s' of %lld bytes",
				 u->e->host, range, (long long)u->size);
	keep_location(u, &answer);
	if (have > u->offset)
		u->tries = 0;
	u->offset = have;
	return 0;
}

/* Whether and from where to go on; 0 to go on, or the failure. */
static int recover(struct upload *u, int r, const struct http_response *answer,
		   const struct error *why, struct error *err)
{
	struct session *s = u->op->session;
	bool lost = r == 0 && (answer->status == 404 || answer->status == 416);
	int got;

	if (!lost && !session_may_retry(u->e, r, answer)) {
		if (r < 0 && err)
			*err = *why;
		return r < 0 ? r : session_refusal(u->e, answer, err);
	}
	if (u->tries >= s->options.retries) {
		if (r < 0 && err)
			*err = *why;
		return r < 0 ? r : session_refusal(u->e, answer, err);
	}
	got = session_pause(s, u->e, answer, r, why, u->tries++, err);
	if (got < 0)
		return got;
	got = ask_offset(u, err);
	if (got != -ENOENT && got != -EOPNOTSUPP)
		return got;
	if (u->restarts++ >= RESTARTS_MAX)
		return got;
	return start(u, "", NULL, err);
}

/* Nobody will come back for it; a registry that forgets by itself does not mind. */
static void give_up(struct upload *u)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	struct call c = CALL_INIT;

	c.method = "DELETE";
	c.url = u->location;
	c.actions = "pull,push";
	c.once = true;
	if (u->location)
		ignore_result(session_call(u->op->session, u->e, &c, &answer, NULL));
}

static int step(struct upload *u, bool *ret_done, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	int64_t left = u->size - u->offset, len = u->chunk ? MIN(u->chunk, left) : left;
	bool last = left == 0 || (u->offset == 0 && !u->chunk && u->size <= PUT_MAX);
	struct error why = { 0 };
	int r = send_part(u, last, len, &answer, &why);

	if (r == 0 && last && answer.status == 201) {
		*ret_done = true;
		return 0;
	}
	if (r == 0 && !last && (answer.status == 202 || answer.status == 204)) {
		keep_location(u, &answer);
		u->offset += len;
		return 0;
	}
	return recover(u, r, &answer, &why, err);
}

int op_put(struct op *op, struct error *err)
{
	const char *location = json_read_string(&op->rd, op->request->doc, "location", NULL);
	struct upload u = {
		.op = op,
		.e = op_target(op),
		.digest = json_need_string(&op->rd, op->request->doc, "digest"),
		.size = json_read_int(&op->rd, op->request->doc, "size", 0, CHUNK_MAX, -1),
		.start = json_read_int(&op->rd, op->request->doc, "start", 0, INT64_MAX / 2, 0),
		.chunk = json_read_int(&op->rd, op->request->doc, "chunk", 0, CHUNK_MAX, 0),
		.location = xstrdup_or_null(location),
	};
	bool done = false;
	int r = 0;

	if (!u.e || op->rd.r < 0 || u.size < 0 || op->request->fd < 0)
		r = error_set(err, -EINVAL, "the request is no request for an upload");
	if (r == 0 && !u.location)
		r = start(&u, "", NULL, err);
	while (r == 0 && !done)
		r = step(&u, &done, err);
	if (r < 0 && r != -ECANCELED && r != -EPIPE)
		give_up(&u);
	free(u.location);
	return r;
}

int op_put_manifest(struct op *op, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	const char *ref = json_need_string(&op->rd, op->request->doc, "ref");
	const char *type = json_need_string(&op->rd, op->request->doc, "type");
	struct endpoint *e = op_target(op);
	autofree char *path = xasprintf("%s/manifests/%s", e ? e->repo : "", ref);
	struct call c = CALL_INIT;
	const char *subject;
	int r;

	if (!e || op->rd.r < 0 || !op->request->body)
		return error_set(err, -EINVAL, "the request has no manifest");
	c.method = "PUT";
	c.path = path;
	c.actions = "pull,push";
	c.content_type = type;
	c.body = op->request->body;
	c.body_size = (int64_t)op->request->body_len;
	c.has_body = true;
	r = session_call(op->session, e, &c, &answer, err);
	if (r == 0)
		r = op_expect(e, &answer, 201, 202, err);
	if (r < 0)
		return r;
	subject = http_header(&answer, "oci-subject");
	if (subject)
		(void)json_object_set_new(op->answer, "subject", json_string(subject));
	return 0;
}

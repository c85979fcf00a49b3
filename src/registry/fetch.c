/* src/registry/fetch.c */
#include "registry/fetch.h"

#include <curl/curl.h>
#include <signal.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "registry/header.h"
#include "registry/http.h"
#include "registry/sandbox.h"

#define REQUEST_MAX   65536
#define SIZE_MAX_FILE (64LL << 30)
#define STALL_MS      60000
#define BACK_OFF_MS   250
#define TRIES         5
#define REDIRECTS     10

struct fetch {
	struct http *http;
	int out;
	char *url; /* where the redirects have led */
	const char *authorization;
	char *etag; /* of the answer whose bytes have begun to go out; NULL */
	bool begun;
	int64_t sent;
};

/* A weak tag stands for files that mean the same; only a strong one says that bytes are equal. */
static const char *strong_tag(const struct http_response *a)
{
	const char *tag = http_header(a, "etag");

	return tag && *tag == '"' ? tag : NULL;
}

static int say_head(struct fetch *f, const struct http_response *a)
{
	const char *tag = strong_tag(a), *date = http_header(a, "last-modified");
	const char *disposition = http_header(a, "content-disposition");
	autofree char *name = disposition ? header_disposition_name(disposition) : NULL;
	cleanup(json_cleanup) json_t *head = json_pack("{s:s}", "url", f->url);
	autofree char *text = NULL;
	int64_t modified;
	int r;

	if (tag)
		(void)json_object_set_new(head, "etag", json_string(tag));
	if (name)
		(void)json_object_set_new(head, "name", json_string(name));
	if (date && header_date(date, &modified) == 0)
		(void)json_object_set_new(head, "modified", json_integer(modified));
	text = json_dumps(head, JSON_COMPACT | JSON_ENSURE_ASCII);
	r = text ? file_write_all(f->out, text, strlen(text)) : -EINVAL;
	f->etag = tag ? xstrdup(tag) : NULL;
	f->begun = true;
	return r < 0 ? r : file_write_all(f->out, "\n", 1);
}

/* What goes on is the same file, from where it broke. */
static int check_rest(const struct fetch *f, const struct http_response *a)
{
	const char *tag = strong_tag(a), *range = http_header(a, "content-range");
	int64_t first, size;

	if (!tag || !f->etag || strcmp(tag, f->etag) != 0)
		return -ESTALE;
	if (a->status == 206 &&
	    (!range || header_content_range(range, &first, &size) < 0 || first != f->sent))
		return -ESTALE;
	return 0;
}

static int begun(void *data, const struct http_response *a)
{
	struct fetch *f = data;

	if (f->begun)
		return check_rest(f, a);
	return a->status == 200 || a->status == 203 ? say_head(f, a) : 0;
}

static int exchange(struct fetch *f, struct http_response *ret, struct error *err)
{
	autofree char *range = f->sent > 0 ? xasprintf("bytes=%lld-", (long long)f->sent) : NULL;
	struct http_request q = HTTP_REQUEST_INIT;
	int r;

	q.method = "GET";
	q.url = f->url;
	q.authorization = f->authorization;
	q.range = range;
	q.sink_fd = f->out;
	q.sink_skip = f->sent;
	q.sink_max = SIZE_MAX_FILE - f->sent;
	q.begun = begun;
	q.data = f;
	r = http_exchange(f->http, &q, ret, err);
	f->sent += ret->streamed;
	if (r == -ESTALE)
		return error_set(err, r, "it has changed on the server meanwhile");
	return r;
}

/* Tries again when that may help, and when what has gone out already can be gone on with. */
static int exchange_surely(struct fetch *f, struct http_response *ret, struct error *err)
{
	int r = -EIO;

	for (unsigned i = 0; i < TRIES; i++) {
		bool busy;

		r = exchange(f, ret, err);
		busy = r == 0 && (ret->status == 429 || (ret->status >= 502 && ret->status <= 504));
		if (!busy && (r == 0 || !http_is_transient(r) || (f->sent > 0 && !f->etag)))
			return r;
		if (i + 1 < TRIES && http_wait(f->http, (int64_t)BACK_OFF_MS << i) < 0)
			return error_set(err, -ECANCELED, "nobody waits for it any more");
	}
	return r;
}

/* 1: there is another place to ask. */
static int follow(struct fetch *f, const struct http_response *a, struct error *err)
{
	const char *location = http_header(a, "location");
	autofree char *next = location ? url_resolve(f->url, location) : NULL;

	if (!next)
		return error_set(err, -EPROTO, "the server redirects to nowhere");
	if (url_is_secure(f->url) && !url_is_secure(next))
		return error_set(err, -EPERM, "the server redirects from https to http, %.200s",
				 next);
	if (!url_same_origin(f->url, next))
		f->authorization = NULL;
	free(f->url);
	f->url = steal_ptr(&next);
	return 1;
}

static int judge(struct fetch *f, const struct http_response *a, struct error *err)
{
	static const struct {
		int status, r;
	} known[] = { { 401, -EACCES }, { 403, -EACCES }, { 404, -ENOENT }, { 410, -ENOENT } };

	if (a->status == 200 || a->status == 203 || (a->status == 206 && f->begun)) {
		/* An empty file has no byte that could have begun it. */
		int r = f->begun ? 0 : say_head(f, a);

		return r < 0 ? error_sys(err, r, "pass on the file") : 0;
	}
	if (a->status >= 300 && a->status < 400 && a->status != 304)
		return follow(f, a, err);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].status == a->status)
			return error_set(err, known[i].r, "the server answers %d", a->status);
	return error_set(err, -EIO, "the server answers %d", a->status);
}

static int fetch(struct fetch *f, struct error *err)
{
	int r = 1;

	for (unsigned i = 0; r > 0; i++) {
		cleanup(http_response_done) struct http_response answer = { .status = 0 };

		if (i > REDIRECTS)
			return error_set(err, -ELOOP, "more than %d redirects", REDIRECTS);
		r = exchange_surely(f, &answer, err);
		if (r == 0)
			r = judge(f, &answer, err);
	}
	return r;
}

static int read_request(int in, json_t **ret, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_fd(in, "the request", REQUEST_MAX, &text, &len, err);

	return r < 0 ? r : json_load_bytes(text, len, "the request", ret, err);
}

int fetch_run(int in, int out, struct error *err)
{
	const struct http_options options = { .stall_ms = STALL_MS, .cancel_fd = out };
	cleanup(json_cleanup) json_t *request = NULL;
	struct fetch f = { .out = out };
	struct json_reader rd;
	int r = read_request(in, &request, err);

	if (r < 0)
		return r;
	(void)signal(SIGPIPE, SIG_IGN);
	sandbox_die_with_parent();
	json_reader_init(&rd, "request", err);
	f.url = xstrdup(json_read_string(&rd, request, "url", ""));
	f.authorization = json_read_string(&rd, request, "authorization", NULL);
	r = rd.r;
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		r = error_set(err, -EIO, "start libcurl");
	if (r == 0)
		r = sandbox_enter(err);
	if (r == 0) {
		f.http = http_new(&options);
		r = fetch(&f, err);
		http_free(f.http);
	}
	free(f.url);
	free(f.etag);
	return r;
}

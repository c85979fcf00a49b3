/* src/registry/session.c - the places of a name, and calls that are tried again; who we are there
 * is token.c's.
 */
#include "registry/session.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "registry/certs.h"
#include "registry/token.h"

#define REDIRECTS_MAX    10
#define PROGRESS_MIN     65536 /* bytes that make a broken connection worth another */
#define TRIES_MAX        100   /* all in all, however much progress each made */
#define BACK_OFF_MAX_MS  8000
#define RETRY_AFTER_MAX  120 /* seconds; who wants more is told to come back */
#define REFUSAL_TEXT_MAX 300

int session_init(struct session *s, const struct session_options *options, struct error *err)
{
	*s = (struct session) { .options = *options };
	registries_init(&s->registries);
	return registries_load(&s->registries, options->registries_conf, err);
}

static void endpoint_free(struct endpoint *e)
{
	free(e->name);
	free(e->host);
	free(e->address);
	free(e->repo);
	tls_done(&e->tls);
	credentials_done(&e->credentials);
	strv_done(&e->looked);
	free(e->realm);
	free(e->service);
	for (size_t i = 0; i < TOKENS_MAX; i++) {
		free(e->tokens[i].scope);
		free(e->tokens[i].value);
	}
	free(e);
}

void session_done(struct session *s)
{
	for (size_t i = 0; i < s->n; i++)
		endpoint_free(s->endpoints[i]);
	free(s->endpoints);
	http_free(s->http);
	registries_done(&s->registries);
	strv_done(&s->notes);
	*s = (struct session) { .n = 0 };
}

void session_reopen(struct session *s, int cancel_fd)
{
	const struct http_options options = { .stall_ms = s->options.stall_ms,
					      .cancel_fd = cancel_fd };

	/* What the parent had stays open there: closing it here would say goodbye in its name. */
	s->http = http_new(&options);
	strv_done(&s->notes);
}

/* the places of a name */

static bool may_be_insecure(const struct session *s, const char *host, bool given, bool insecure)
{
	if (s->options.verify != TLS_VERIFY_DEFAULT)
		return s->options.verify == TLS_VERIFY_NO;
	return given ? insecure : insecure || host_is_loopback(host);
}

static int add_endpoint(struct session *s, const char *name, const char *place, bool given,
			bool insecure, const struct mirror *mirror, struct error *err)
{
	struct endpoint *e = xnew(struct endpoint);
	const char *slash = strchr(place, '/');
	int r;

	VEC_GROW(s->endpoints, s->n, s->room); /* NOLINT(bugprone-sizeof-expression): of pointers */
	s->endpoints[s->n++] = e;
	e->name = xstrdup(name);
	e->host = slash ? xstrndup(place, (size_t)(slash - place)) : xstrdup(place);
	e->address = xstrdup(strcmp(e->host, "docker.io") == 0 ? "registry-1.docker.io" : e->host);
	e->repo = xstrdup(slash ? slash + 1 : "");
	e->mirror = mirror != NULL;
	e->use = mirror ? mirror->use : MIRROR_ALL;
	e->insecure = may_be_insecure(s, e->host, given, insecure);
	r = certs_load(s->options.cert_dir, e->host, &e->tls, err);
	if (r < 0)
		return r;
	if (s->options.credentials)
		return credentials_parse(s->options.credentials, "--creds", &e->credentials, err);
	r = auth_find(s->options.auth_file, e->host, e->repo, &e->credentials, &e->looked, err);
	return r < 0 ? r : 0;
}

int session_prepare(struct session *s, const char *name, struct error *err)
{
	const struct registry *entry = registries_find(&s->registries, name);
	autofree char *place = NULL;
	int r = 0;

	if (session_endpoint(s, name, true, true, 0))
		return 0;
	if (entry && entry->blocked)
		return error_set(err, -EPERM, "%s is blocked by registries.conf (prefix %s)", name,
				 entry->prefix);
	for (size_t i = 0; r == 0 && entry && i < entry->n; i++) {
		const struct mirror *m = &entry->mirrors[i];
		autofree char *there = registry_rewrite(entry, m->location, name);

		r = add_endpoint(s, name, there, m->insecure, m->insecure, m, err);
	}
	place = entry && entry->location ? registry_rewrite(entry, entry->location, name)
					 : xstrdup(name);
	if (r == 0)
		r = add_endpoint(s, name, place, entry && entry->insecure_given,
				 entry && entry->insecure, NULL, err);
	return r;
}

struct endpoint *session_endpoint(struct session *s, const char *name, bool reading, bool by_digest,
				  size_t i)
{
	for (size_t k = 0; k < s->n; k++) {
		struct endpoint *e = s->endpoints[k];

		if (strcmp(e->name, name) != 0)
			continue;
		if (e->mirror && (!reading || (e->use == MIRROR_DIGEST_ONLY && !by_digest) ||
				  (e->use == MIRROR_TAG_ONLY && by_digest)))
			continue;
		if (i-- == 0)
			return e;
	}
	return NULL;
}

/* one exchange, whatever the scheme turns out to be */

static void fill_request(const struct endpoint *e, const struct call *c, const char *url,
			 bool same_origin, struct http_request *q)
{
	q->method = c->method;
	q->url = url;
	q->accept = c->accept;
	q->content_type = c->content_type;
	q->content_range = c->content_range;
	q->body = c->body;
	q->body_fd = c->body_fd;
	q->body_offset = c->body_offset;
	q->body_size = c->body_size;
	q->has_body = c->has_body;
	q->sink_fd = c->sink_fd;
	q->sink_skip = c->sink_offset;
	q->sink_max = c->sink_size - c->sink_offset;
	q->body_max = c->body_max;
	/* Our certificate is for the registry, not for where it sends us. */
	q->tls = same_origin ? &e->tls : NULL;
	q->no_verify = e->no_verify;
}

/* Follows where a read leads.  A stranger gets no credentials; out of TLS nothing leads. */
static int follow(struct session *s, struct endpoint *e, const struct call *c, const char *url,
		  const char *authorization, struct http_response *ret, struct error *err)
{
	autofree char *range = c->sink_fd >= 0 && c->sink_offset > 0
				       ? xasprintf("bytes=%lld-", (long long)c->sink_offset)
				       : NULL;
	bool reading = strcmp(c->method, "GET") == 0 || strcmp(c->method, "HEAD") == 0;
	autofree char *here = xstrdup(url);

	for (unsigned i = 0; i <= REDIRECTS_MAX; i++) {
		bool same = url_same_origin(url, here);
		struct http_request q = HTTP_REQUEST_INIT;
		const char *location;
		char *next;
		int r;

		fill_request(e, c, here, same, &q);
		q.range = range;
		q.authorization = same ? authorization : NULL;
		r = http_exchange(s->http, &q, ret, err);
		if (r < 0 || ret->status < 300 || ret->status > 399 || ret->status == 304)
			return r;
		location = http_header(ret, "location");
		if (!location || (!reading && (ret->status < 307 || c->body_fd >= 0)))
			return error_set(err, -EPROTO, "%s: HTTP %d leads nowhere", e->host,
					 ret->status);
		next = url_resolve(here, location);
		if (!next || (url_is_secure(here) && !url_is_secure(next))) {
			free(next);
			return error_set(err, -EPROTO, "%s sends us to %.200s: refused", e->host,
					 location);
		}
		free(here);
		here = next;
	}
	return error_set(err, -ELOOP, "%s sends us in a circle", e->host);
}

static char *make_url(const struct endpoint *e, const struct call *c, const char *scheme)
{
	return c->url ? xstrdup(c->url) : xasprintf("%s://%s/v2/%s", scheme, e->address, c->path);
}

static int exchange_as(struct session *s, struct endpoint *e, const struct call *c,
		       const char *scheme, struct http_response *ret, struct error *err)
{
	autofree char *url = make_url(e, c, scheme), *authorization = NULL;
	/* Only to where the registry is: a Location may lead to a stranger. */
	autofree char *base = xasprintf("%s://%s/", scheme, e->address);
	bool ours = url_same_origin(base, url);
	int r = ours ? token_header(s, e, c, &authorization, err) : 0;

	if (r == 0)
		r = follow(s, e, c, url, authorization, ret, err);
	if (r < 0 || ret->status != 401 || !ours)
		return r;
	r = token_renew(e, c, url, ret, authorization != NULL, err);
	if (r <= 0)
		return r;
	free(steal_ptr(&authorization));
	r = token_header(s, e, c, &authorization, err);
	return r < 0 ? r : follow(s, e, c, url, authorization, ret, err);
}

/* Insecure means: TLS that is believed, TLS that is not, none at all, in this order. */
static int exchange_probing(struct session *s, struct endpoint *e, const struct call *c,
			    struct http_response *ret, struct error *err)
{
	struct error first = { 0 };
	int r;

	if (e->scheme)
		return exchange_as(s, e, c, e->scheme, ret, err);
	r = exchange_as(s, e, c, "https", ret, &first);
	if (r == -EKEYREJECTED && e->insecure) {
		e->no_verify = true;
		r = exchange_as(s, e, c, "https", ret, &first);
	}
	if (r >= 0 || r == -EACCES)
		e->scheme = "https";
	if (e->scheme || !e->insecure ||
	    (r != -ENOTSUP && r != -ECONNREFUSED && r != -ECONNRESET)) {
		if (r < 0 && err)
			*err = first;
		return r;
	}
	r = exchange_as(s, e, c, "http", ret, err);
	if (r >= 0 || r == -EACCES)
		e->scheme = "http";
	return r;
}

/* again */

static int64_t jitter(int64_t ms)
{
	uint32_t bits = 0;

	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		bits = (uint32_t)clock_monotonic_ms();
	return ms / 2 + (int64_t)(bits % (uint32_t)MAX(ms / 2, 1));
}

static bool status_is_transient(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* How long until the next try; -EBUSY if that is longer than anyone should sit there. */
static int64_t pause_for(const struct session *s, const struct endpoint *e,
			 const struct http_response *ret, unsigned tries, struct error *err)
{
	const char *after = ret->status ? http_header(ret, "retry-after") : NULL;
	int64_t ms = s->options.back_off_ms << MIN(tries, 10U), wanted;

	if (after && header_retry_after(after, (int64_t)time(NULL), &wanted) == 0) {
		if (wanted > RETRY_AFTER_MAX)
			return error_set(err, -EBUSY,
					 "%s: HTTP %d: it asks to come back in %lld minutes",
					 e->host, ret->status, (long long)(wanted + 59) / 60);
		ms = MAX(wanted * 1000, 10);
		return ms;
	}
	return jitter(MIN(ms, BACK_OFF_MAX_MS));
}

static void note_try(struct session *s, const struct endpoint *e, const struct http_response *ret,
		     int r, const struct error *why, int64_t wait)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "HTTP %d", ret->status);
	strv_addf(&s->notes, "%s: %.200s; trying again in %lld.%lld s", e->host,
		  r < 0 ? why->text : text, (long long)wait / 1000, (long long)wait % 1000 / 100);
}

int session_pause(struct session *s, const struct endpoint *e, const struct http_response *ret,
		  int r, const struct error *why, unsigned tries, struct error *err)
{
	int64_t wait = pause_for(s, e, ret, tries, err);

	if (wait < 0)
		return (int)wait;
	note_try(s, e, ret, r, why, wait);
	r = http_wait(s->http, wait);
	return r < 0 ? error_sys(err, r, "%s", e->host) : 0;
}

/* The first bytes that a resumed answer brings must be the next ones. */
static int check_range(const struct endpoint *e, const struct call *c,
		       const struct http_response *ret, struct error *err)
{
	const char *range = http_header(ret, "content-range");
	int64_t first, size;

	if (ret->status != 206)
		return 0;
	if (!range || header_content_range(range, &first, &size) < 0 || first != c->sink_offset)
		return error_set(err, -EPROTO, "%s answers with another part than it was asked for",
				 e->host);
	return 0;
}

bool session_may_retry(const struct endpoint *e, int r, const struct http_response *ret)
{
	if (r == 0)
		return status_is_transient(ret->status);
	return http_is_transient(r) || (e->answered && (r == -ECONNREFUSED || r == -EHOSTUNREACH));
}

static int call_once(struct session *s, struct endpoint *e, struct call *c,
		     struct http_response *ret, struct error *err)
{
	int64_t offset = c->sink_offset;
	int r = exchange_probing(s, e, c, ret, err);

	if (ret->status)
		e->answered = true;
	if (c->sink_fd < 0 || ret->streamed == 0)
		return r;
	/* Bytes that stand in the wrong place are in the pipe already: no way on from there. */
	if (offset > 0) {
		int bad = check_range(e, c, ret, err);

		if (bad < 0)
			return bad;
	}
	c->sink_offset += ret->streamed;
	return r;
}

int session_call(struct session *s, struct endpoint *e, struct call *c, struct http_response *ret,
		 struct error *err)
{
	unsigned tries = 0;

	for (unsigned all = 0;; all++) {
		int64_t offset = c->sink_offset;
		struct error why = { 0 };
		int r = call_once(s, e, c, ret, &why);

		if (c->sink_offset - offset >= PROGRESS_MIN)
			tries = 0;
		/* A server that closed behind the last byte has done all that it had to. */
		if (r < 0 && c->sink_fd >= 0 && c->sink_size > 0 &&
		    c->sink_offset == c->sink_size && http_is_transient(r))
			return 0;
		if (c->once || !session_may_retry(e, r, ret) || tries >= s->options.retries ||
		    all >= TRIES_MAX) {
			if (r < 0 && err)
				*err = why;
			return r < 0 ? error_wrap(err, r, "%s", e->host) : 0;
		}
		r = session_pause(s, e, ret, r, &why, tries++, err);
		if (r < 0)
			return r;
	}
}

/* refusals */

static int code_of_status(int status)
{
	switch (status) {
	case 401:
	case 403:
		return -EACCES;
	case 404:
		return -ENOENT;
	case 405:
	case 501:
		return -EOPNOTSUPP;
	case 413:
		return -EFBIG;
	case 416:
		return -ERANGE;
	case 429:
		return -EBUSY;
	default:
		return status >= 500 ? -EIO : -EPROTO;
	}
}

/* {"errors":[{"code":..., "message":...}]} */
static void refusal_text(const struct http_response *r, char ret[REFUSAL_TEXT_MAX])
{
	json_t *doc = json_loadb(buf_text(&r->body), r->body.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *first = json_array_get(json_object_get(doc, "errors"), 0);
	const char *code = json_string_value(json_object_get(first, "code"));
	const char *message = json_string_value(json_object_get(first, "message"));

	if (!message)
		message = json_string_value(json_object_get(doc, "details"));
	(void)snprintf(ret, REFUSAL_TEXT_MAX, "%s%.60s%s%.200s", code || message ? ": " : "",
		       code ? code : "", code && message ? ": " : "", message ? message : "");
	json_decref(doc);
}

static const char *who(const struct endpoint *e, char ret[300])
{
	if (credentials_given(&e->credentials))
		(void)snprintf(ret, 300, "; asked with the credentials of %.200s",
			       e->credentials.from);
	else
		(void)snprintf(ret, 300,
			       "; asked without credentials, 'strake login %.100s' keeps some",
			       e->host);
	return ret;
}

int session_refusal(const struct endpoint *e, const struct http_response *r, struct error *err)
{
	char text[REFUSAL_TEXT_MAX], whom[300];
	int code = code_of_status(r->status);

	refusal_text(r, text);
	return error_set(err, code, "%s: HTTP %d%s%s", e->host, r->status, text,
			 code == -EACCES ? who(e, whom) : "");
}

char *session_location(const struct endpoint *e, const char *location)
{
	autofree char *base = xasprintf("%s://%s/", e->scheme ? e->scheme : "https", e->address);
	char *url = location ? url_resolve(base, location) : NULL;

	if (url && url_is_secure(base) && !url_is_secure(url)) {
		free(url);
		return NULL;
	}
	return url;
}

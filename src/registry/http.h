/* src/registry/http.h - one HTTP exchange: a request, an answer, no redirects, no second tries.
 *
 * On libcurl.  Nothing here knows of registries; what may be repeated, and with which credentials,
 * is session.h's business.
 */
#ifndef REGISTRY_HTTP_H
#define REGISTRY_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "registry/header.h"

struct http_response;
struct http; /* keeps connections open between exchanges; of one process only */

struct http_options {
	int64_t stall_ms; /* no byte for so long ends an exchange; so do drips of what is no blob */
	int cancel_fd;    /* when its other side hangs up nobody waits for the answer; -1 */
};

struct http *http_new(const struct http_options *options);
void http_free(struct http *h);

/* Whom to believe, and who we are; texts are PEM, NULL if not given. */
struct tls {
	char *ca; /* besides the machine's */
	char *cert, *key;
};
void tls_done(struct tls *t);

struct http_request {
	const char *method, *url;
	const char *authorization; /* the header's value, or NULL */
	const char *content_type, *accept;
	const char *range;         /* "bytes=5-", or NULL */
	const char *content_range; /* of a part that is uploaded */
	const void *body;          /* of body_size bytes, or */
	int body_fd;               /* a file, from body_offset on; -1 */
	int64_t body_offset, body_size;
	bool has_body;
	int sink_fd;       /* a successful answer's body goes here; -1: into the answer */
	int64_t sink_skip; /* of a whole answer to a request for a range, so many are dropped */
	int64_t sink_max;  /* more are an error */
	/* Asked once, when a successful answer has begun, before the sink gets anything: a negative
	 * errno ends the exchange.  May be NULL.
	 */
	int (*begun)(void *data, const struct http_response *answer);
	void *data;
	size_t body_max;       /* of the answer's, when it is kept */
	const struct tls *tls; /* NULL: nothing but the machine's CAs */
	bool no_verify;
};
#define HTTP_REQUEST_INIT                                                                          \
	{                                                                                          \
		.body_fd = -1, .sink_fd = -1                                                       \
	}

struct http_response {
	int status;
	struct strv headers; /* "location=...", those that we interpret; see http_header() */
	struct challenges challenges;
	struct buf body;
	int64_t streamed; /* bytes that went to the sink */
};
void http_response_done(struct http_response *r);
/* name in lower case; the value or NULL. */
const char *http_header(const struct http_response *r, const char *name);

/* 0 when an answer came, whatever it says.  -ECONNRESET, -ETIMEDOUT: worth a second try.
 * -ECONNREFUSED, -EHOSTUNREACH: nobody there.  -ENOTSUP: no TLS spoken there.  -EKEYREJECTED: a
 * certificate that is not believed.  -EMSGSIZE: more than allowed.  -EPIPE: nobody wants the
 * answer.  streamed is right in every case.
 */
int http_exchange(struct http *h, const struct http_request *q, struct http_response *ret,
		  struct error *err) must_check;
bool http_is_transient(int r);

/* Waits, or returns -ECANCELED when cancel_fd's other side hangs up. */
int http_wait(struct http *h, int64_t ms) must_check;

/* An absolute URL from one that may be relative; heap, NULL if it is none of http or https. */
char *url_resolve(const char *base, const char *target);
/* Same scheme, host and port: what one may be told the other may be told, too. */
bool url_same_origin(const char *a, const char *b);
bool url_is_secure(const char *url);
/* Of "HOST" or "HOST:PORT": localhost, 127.0.0.0/8 or [::1], and nothing that only begins so. */
bool host_is_loopback(const char *host);
char *url_escape(const char *text); /* heap */

#endif

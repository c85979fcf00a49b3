/* src/registry/session.h - requests to registries: which one, as whom, how often.
 *
 * An endpoint is one place that a name may be at: a mirror, or the registry itself.  What it needs
 * from disk (certificates, passwords) is read by session_prepare(), while there are still rights to
 * read it; afterwards only the network is used.
 */
#ifndef REGISTRY_SESSION_H
#define REGISTRY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "registry/auth.h"
#include "registry/http.h"
#include "registry/registries.h"

#define TOKENS_MAX 16

enum endpoint_auth { AUTH_UNKNOWN, AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

struct token {
	char *scope, *value;
	int64_t until_ms;
};

struct endpoint {
	char *name;    /* the repository it stands for: "docker.io/library/debian" */
	char *host;    /* "docker.io", "localhost:5000" */
	char *address; /* where that is: "registry-1.docker.io" */
	char *repo;    /* "library/debian"; "" for the registry as a whole */
	bool mirror;
	enum mirror_use use;
	bool insecure;      /* without verification, or without TLS, if it must be */
	const char *scheme; /* NULL until one has answered */
	bool no_verify;
	bool answered; /* it has been there: when it is gone, that will pass */
	struct tls tls;
	struct credentials credentials;
	struct strv looked; /* where credentials were looked for */
	enum endpoint_auth auth;
	char *realm, *service;
	struct token tokens[TOKENS_MAX];
};

enum tls_verify { TLS_VERIFY_DEFAULT, TLS_VERIFY_YES, TLS_VERIFY_NO };

struct session_options {
	const char *registries_conf, *auth_file, *cert_dir; /* NULL: the usual places */
	const char *credentials;                            /* USER:PASSWORD, or NULL */
	enum tls_verify verify;
	unsigned retries;
	int64_t stall_ms, back_off_ms;
};

struct session {
	struct session_options options;
	struct registries registries;
	struct http *http;
	struct endpoint **endpoints;
	size_t n, room;
	struct strv notes; /* what a person should be told: tries, mirrors passed over */
};

int session_init(struct session *s, const struct session_options *options,
		 struct error *err) must_check;
void session_done(struct session *s);
/* A process that was forked has connections of its own. */
void session_reopen(struct session *s, int cancel_fd);

/* name is a repository, "docker.io/library/debian", or a host alone.  -EPERM: it is blocked. */
int session_prepare(struct session *s, const char *name, struct error *err) must_check;
/* The i-th place of that repository, mirrors first if reading; NULL behind the last. */
struct endpoint *session_endpoint(struct session *s, const char *name, bool reading, bool by_digest,
				  size_t i);

/* One call of the API. */
struct call {
	const char *method;
	const char *path;        /* behind /v2/, with the repository in it; or */
	const char *url;         /* a whole one, as an upload's Location */
	const char *actions;     /* "pull", "pull,push" */
	const char *extra_scope; /* "repository:other:pull", or NULL */
	const char *accept, *content_type, *content_range;
	const void *body;
	int body_fd;
	int64_t body_offset, body_size;
	bool has_body, once; /* once: a failure is for the caller, who knows how to go on */
	int sink_fd;
	int64_t sink_offset, sink_size; /* the whole has sink_size bytes; from offset on */
	size_t body_max;
};
#define CALL_INIT                                                                                  \
	{                                                                                          \
		.method = "GET", .actions = "pull", .body_fd = -1, .sink_fd = -1                   \
	}

/* 0 when there is an answer with a status that is no matter of trying again.  sink_offset moves
 * on with what has been passed to the sink.
 */
int session_call(struct session *s, struct endpoint *e, struct call *c, struct http_response *ret,
		 struct error *err) must_check;
/* For callers with once: whether another try may help, and waiting for it. */
bool session_may_retry(const struct endpoint *e, int r, const struct http_response *ret);
int session_pause(struct session *s, const struct endpoint *e, const struct http_response *ret,
		  int r, const struct error *why, unsigned tries, struct error *err) must_check;
/* An answer that is a refusal, as a negative errno and a text. */
int session_refusal(const struct endpoint *e, const struct http_response *r,
		    struct error *err) must_check;
/* The URL that an answer's Location means; heap, or NULL. */
char *session_location(const struct endpoint *e, const char *location);

#endif

/* src/registry/token.h - the Authorization header: basic, or a bearer token that is fetched. */
#ifndef REGISTRY_TOKEN_H
#define REGISTRY_TOKEN_H

#include <stdbool.h>

#include "base/error.h"

struct call;
struct endpoint;
struct http_response;
struct session;

/* What is known so far; *ret NULL if nothing is to be sent. */
int token_header(struct session *s, struct endpoint *e, const struct call *c, char **ret,
		 struct error *err) must_check;
/* After a 401 on url: 1 if another try makes sense, 0 if the refusal stands. */
int token_renew(struct endpoint *e, const struct call *c, const char *url,
		const struct http_response *refused, bool sent, struct error *err) must_check;

#endif

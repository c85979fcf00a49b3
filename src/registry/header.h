/* src/registry/header.h - the HTTP headers that we interpret; each comes from a stranger.
 *
 * RFC 9110 (challenges, Retry-After, Content-Range), RFC 8288 (Link), distribution-spec (Range of
 * an upload, "0-123", without a unit).
 */
#ifndef REGISTRY_HEADER_H
#define REGISTRY_HEADER_H

#include <stdint.h>

#include "base/error.h"

#define CHALLENGES_MAX 8

enum challenge_kind { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_kind kind;
	char *realm, *service, *scope, *error; /* NULL if not given */
};

struct challenges {
	struct challenge items[CHALLENGES_MAX];
	size_t n;
};

void challenges_done(struct challenges *c);
/* Adds those of one WWW-Authenticate value; what is not understood is left out. */
void challenges_parse(const char *value, struct challenges *ret);

/* The target of rel="next", heap, or NULL. */
char *header_link_next(const char *value);
/* Seconds from now_s (Unix time), from either form; -EINVAL.  At most a day. */
int header_retry_after(const char *value, int64_t now_s, int64_t *ret_s) must_check;
/* "bytes 5-9/100": first byte 5, and the whole size or -1 for "*". */
int header_content_range(const char *value, int64_t *ret_first, int64_t *ret_size) must_check;
/* "0-123" or "bytes=0-123": how many bytes an upload has, 124; "0-0" is none or one (0 is taken,
 * as registries mean it).
 */
int header_upload_range(const char *value, int64_t *ret_bytes) must_check;

/* The name that a Content-Disposition gives a file, heap, or NULL: one component, and none that
 * means a directory.
 */
char *header_disposition_name(const char *value);
/* A date of HTTP in seconds of Unix time; -EINVAL. */
int header_date(const char *value, int64_t *ret_s) must_check;

#endif

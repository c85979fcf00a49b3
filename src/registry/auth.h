/* src/registry/auth.h - who we are at a registry: auth.json, config.json and credential helpers.
 *
 * containers-auth.json(5) and Docker's config.json.  Files are looked through in their order; in
 * one file a helper for the host comes before the general helper, that before what the file itself
 * holds, and the longest key ("quay.io/team/app", "quay.io/team", "quay.io") wins.
 */
#ifndef REGISTRY_AUTH_H
#define REGISTRY_AUTH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct credentials {
	char *user, *secret;
	char *identity_token; /* instead of both: for the token server */
	char *registry_token; /* instead of all: for the registry itself */
	char *from;           /* "/root/.docker/config.json, key quay.io" for people */
};

void credentials_done(struct credentials *c);
static inline bool credentials_given(const struct credentials *c)
{
	return c->user || c->identity_token || c->registry_token;
}

/* "user:password" */
int credentials_parse(const char *text, const char *from, struct credentials *ret,
		      struct error *err) must_check;

/* What one file says about host/path: credentials, or a helper to ask and the key to ask it for.
 * All three stay empty if it says nothing.
 */
struct auth_answer {
	struct credentials credentials;
	char *helper, *helper_key;
};
void auth_answer_done(struct auth_answer *a);
int auth_lookup(const json_t *doc, const char *what, const char *host, const char *path,
		struct auth_answer *ret, struct error *err) must_check;

/* All files; file NULL: those of the environment and home.  1 if found, 0 if not.  looked gets the
 * names of the files that were there.
 */
int auth_find(const char *file, const char *host, const char *path, struct credentials *ret,
	      struct strv *looked, struct error *err) must_check;

/* Into or out of the file that a login goes to, or its helper.  *ret_where is heap text for people;
 * erase: -ENOENT if there was nothing.
 */
int auth_store(const char *file, const char *host, const struct credentials *c, char **ret_where,
	       struct error *err) must_check;
int auth_erase(const char *file, const char *host, char **ret_where, struct error *err) must_check;

#endif

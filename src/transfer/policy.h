/* src/transfer/policy.h - containers-policy.json(5): what may come from where, and whose signature
 * it must have.
 *
 * The requirements of the longest scope that fits a name hold, all of them:
 * docker.io/library/web:1, then docker.io/library/web, docker.io/library, docker.io, *.io, then the
 * transport's "" and then the default.
 */
#ifndef TRANSFER_POLICY_H
#define TRANSFER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct remote;
struct policy;

enum requirement_kind {
	REQUIRE_NOTHING,  /* insecureAcceptAnything */
	REQUIRE_MIRACLE,  /* reject */
	REQUIRE_GPG,      /* signedBy */
	REQUIRE_SIGSTORE, /* sigstoreSigned */
};

enum identity_kind {
	IDENTITY_EXACT_OR_REPOSITORY, /* matchRepoDigestOrExact: what is pulled by digest has no tag
				       */
	IDENTITY_EXACT,
	IDENTITY_REPOSITORY,
	IDENTITY_GIVEN_REFERENCE,
	IDENTITY_GIVEN_REPOSITORY,
	IDENTITY_REMAP,
};

struct requirement {
	enum requirement_kind kind;
	struct strv key_paths;
	char *key_data; /* base64, or NULL */
	enum identity_kind identity;
	char *reference;              /* the given one */
	char *prefix, *signed_prefix; /* of a remap */
};

struct requirements {
	char *transport, *scope; /* NULL, NULL: the default */
	struct requirement *items;
	size_t n;
};

int policy_parse(const char *bytes, size_t len, const char *what, struct policy **ret,
		 struct error *err) must_check;
/* path NULL: the user's, then the machine's; *ret NULL if there is none, which accepts anything. */
int policy_load(const char *path, struct policy **ret, struct error *err) must_check;
void policy_free(struct policy *p);
DEFINE_CLEANUP(struct policy *, policy, policy_free);

/* Never NULL. */
const struct requirements *policy_find(const struct policy *p, const char *transport,
				       const char *name);

struct policy_question {
	const char *transport; /* "docker", "oci", "dir", ... */
	const char *name;      /* canonical, or a path */
	const char *digest;    /* of the manifest */
	const char *manifest;
	size_t manifest_len;
	/* Where signatures are looked for; NULL if it is no registry. */
	struct remote *remote;
	const char *repository;
};

/* -EPERM: it is not let in; the text says what was expected. */
int policy_check(const struct policy *p, const struct policy_question *q,
		 struct error *err) must_check;

#endif

/* src/transfer/policy.c - reading the file and finding what holds; signatures are signature.c's. */
#include "transfer/policy.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "transfer/signature.h"

#define POLICY_MAX (1U << 20)
#define SYSTEM     "/etc/containers/policy.json"

struct policy {
	char *file;
	struct requirements *scopes; /* the first is the default */
	size_t n, room;
};

static void requirement_done(struct requirement *r)
{
	strv_done(&r->key_paths);
	free(r->key_data);
	free(r->reference);
	free(r->prefix);
	free(r->signed_prefix);
}

static void requirements_done(struct requirements *s)
{
	for (size_t i = 0; i < s->n; i++)
		requirement_done(&s->items[i]);
	free(s->items);
	free(s->transport);
	free(s->scope);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		requirements_done(&p->scopes[i]);
	free(p->scopes);
	free(p->file);
	free(p);
}

/* reading */

static void only(struct json_reader *rd, const json_t *obj, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)obj, key, value) {
		bool found = false;

		for (const char *const *k = known; *k && !found; k++)
			found = strcmp(*k, key) == 0;
		/* What is not understood might be what keeps somebody out. */
		if (!found)
			json_fail(rd, NULL, "'%.60s' is not known", key);
	}
}

static char *need_text(struct json_reader *rd, const json_t *obj, const char *key)
{
	return xstrdup(json_need_string(rd, obj, key));
}

static void read_identity(struct json_reader *rd, const json_t *obj, struct requirement *r)
{
	static const char *const known[] = { "type",   "dockerReference", "dockerRepository",
					     "prefix", "signedPrefix",    NULL };
	struct json_place place = json_enter(rd, "signedIdentity");
	const char *type = json_need_string(rd, obj, "type");

	only(rd, obj, known);
	if (strcmp(type, "matchRepoDigestOrExact") == 0) {
		r->identity = IDENTITY_EXACT_OR_REPOSITORY;
	} else if (strcmp(type, "matchExact") == 0) {
		r->identity = IDENTITY_EXACT;
	} else if (strcmp(type, "matchRepository") == 0) {
		r->identity = IDENTITY_REPOSITORY;
	} else if (strcmp(type, "exactReference") == 0) {
		r->identity = IDENTITY_GIVEN_REFERENCE;
		r->reference = need_text(rd, obj, "dockerReference");
	} else if (strcmp(type, "exactRepository") == 0) {
		r->identity = IDENTITY_GIVEN_REPOSITORY;
		r->reference = need_text(rd, obj, "dockerRepository");
	} else if (strcmp(type, "remapIdentity") == 0) {
		r->identity = IDENTITY_REMAP;
		r->prefix = need_text(rd, obj, "prefix");
		r->signed_prefix = need_text(rd, obj, "signedPrefix");
	} else {
		json_fail(rd, "type", "'%.60s' is not known", type);
	}
	json_leave(rd, place);
}

static void read_keys(struct json_reader *rd, const json_t *obj, struct requirement *r)
{
	const char *path = json_read_string(rd, obj, "keyPath", NULL);
	const char *data = json_read_string(rd, obj, "keyData", NULL);

	if (path)
		strv_add(&r->key_paths, path);
	json_read_strings(rd, obj, "keyPaths", &r->key_paths);
	r->key_data = xstrdup_or_null(data);
	if ((r->key_paths.n > 0) == (data != NULL))
		json_fail(rd, NULL, "one of keyPath, keyPaths and keyData is needed");
}

static void read_signed_by(struct json_reader *rd, const json_t *obj, struct requirement *r)
{
	static const char *const known[] = { "type",    "keyType",        "keyPath", "keyPaths",
					     "keyData", "signedIdentity", NULL };
	const char *type = json_read_string(rd, obj, "keyType", "");

	only(rd, obj, known);
	if (strcmp(type, "GPGKeys") != 0)
		json_fail(rd, "keyType", "'%.60s' is not GPGKeys", type);
	r->kind = REQUIRE_GPG;
	read_keys(rd, obj, r);
}

static void read_sigstore(struct json_reader *rd, const json_t *obj, struct requirement *r)
{
	static const char *const known[] = { "type",    "keyPath",        "keyPaths",
					     "keyData", "signedIdentity", NULL };

	if (json_object_get(obj, "fulcio") || json_object_get(obj, "rekorPublicKeyPath") ||
	    json_object_get(obj, "rekorPublicKeyData") || json_object_get(obj, "pki"))
		json_fail(rd, NULL,
			  "certificates (fulcio, pki) and logs (rekor) are not checked here; use a "
			  "key");
	only(rd, obj, known);
	r->kind = REQUIRE_SIGSTORE;
	read_keys(rd, obj, r);
}

static void read_requirement(struct json_reader *rd, const json_t *obj, struct requirement *r)
{
	static const char *const plain[] = { "type", NULL };
	const char *type = json_need_string(rd, obj, "type");
	const json_t *identity;

	if (strcmp(type, "insecureAcceptAnything") == 0 || strcmp(type, "reject") == 0) {
		only(rd, obj, plain);
		r->kind = type[0] == 'r' ? REQUIRE_MIRACLE : REQUIRE_NOTHING;
		return;
	}
	if (strcmp(type, "signedBy") == 0)
		read_signed_by(rd, obj, r);
	else if (strcmp(type, "sigstoreSigned") == 0)
		read_sigstore(rd, obj, r);
	else
		json_fail(rd, "type", "'%.60s' is not known", type);
	identity = json_read_object(rd, obj, "signedIdentity");
	if (identity)
		read_identity(rd, identity, r);
}

static void read_scope(struct policy *p, struct json_reader *rd, const char *transport,
		       const char *scope, const json_t *list)
{
	struct requirements s = { .transport = xstrdup_or_null(transport),
				  .scope = xstrdup_or_null(scope) };
	const json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0)
		json_fail(rd, NULL, "expected a list of requirements that is not empty");
	s.items = xcalloc(MAX(json_array_size(list), 1U), sizeof(*s.items));
	s.n = json_array_size(list);
	json_array_foreach (list, i, item) {
		struct json_place place = json_enter_index(rd, i);

		if (json_is_object(item))
			read_requirement(rd, item, &s.items[i]);
		else
			json_fail(rd, NULL, "expected an object");
		json_leave(rd, place);
	}
	VEC_GROW(p->scopes, p->n, p->room);
	p->scopes[p->n++] = s;
}

static void read_transports(struct policy *p, struct json_reader *rd, json_t *transports)
{
	const char *transport, *scope;
	json_t *scopes, *list;

	json_object_foreach (transports, transport, scopes) {
		struct json_place outer = json_enter(rd, transport);

		if (!json_is_object(scopes))
			json_fail(rd, NULL, "expected an object");
		json_object_foreach (scopes, scope, list) {
			struct json_place inner = json_enter(rd, *scope ? scope : "\"\"");

			read_scope(p, rd, transport, scope, list);
			json_leave(rd, inner);
		}
		json_leave(rd, outer);
	}
}

int policy_parse(const char *bytes, size_t len, const char *what, struct policy **ret,
		 struct error *err)
{
	static const char *const known[] = { "default", "transports", NULL };
	cleanup(policy_cleanup) struct policy *p = xnew(struct policy);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_place place;
	struct json_reader rd;
	int r = json_load_bytes(bytes, len, what, &doc, err);

	if (r < 0)
		return r;
	p->file = xstrdup(what);
	json_reader_init(&rd, what, err);
	if (!json_is_object(doc))
		return error_set(err, -EBADMSG, "%s: expected an object", what);
	only(&rd, doc, known);
	place = json_enter(&rd, "default");
	read_scope(p, &rd, NULL, NULL, json_object_get(doc, "default"));
	json_leave(&rd, place);
	place = json_enter(&rd, "transports");
	read_transports(p, &rd, json_read_object(&rd, doc, "transports"));
	json_leave(&rd, place);
	if (rd.r < 0)
		return rd.r;
	*ret = steal_ptr(&p);
	return 0;
}

int policy_load(const char *path, struct policy **ret, struct error *err)
{
	const char *home = getenv("HOME");
	autofree char *user = home ? xasprintf("%s/.config/containers/policy.json", home) : NULL;
	const char *file = path ? path : user && access(user, F_OK) == 0 ? user : SYSTEM;
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, file, POLICY_MAX, &text, &len, err);

	*ret = NULL;
	if (r == -ENOENT && !path)
		return 0;
	return r < 0 ? r : policy_parse(text, len, file, ret, err);
}

/* finding */

static bool wildcard_covers(const char *scope, const char *name)
{
	size_t host = strcspn(name, "/"), tail = strlen(scope) - 1;

	return strncmp(scope, "*.", 2) == 0 && host > tail &&
	       strncmp(name + host - tail, scope + 1, tail) == 0;
}

/* How many bytes of the name the scope stands for, 0 if it does not; a wildcard is the worst of all
 * that fit.
 */
static size_t covers(const char *scope, const char *name)
{
	size_t len = strlen(scope);

	if (len == 0)
		return 0;
	if (wildcard_covers(scope, name))
		return 1;
	if (strncmp(scope, name, len) != 0)
		return 0;
	if (name[len] == '\0' || name[len] == '/')
		return len + 1;
	return strchr(scope, '/') && (name[len] == ':' || name[len] == '@') ? len + 1 : 0;
}

const struct requirements *policy_find(const struct policy *p, const char *transport,
				       const char *name)
{
	const struct requirements *best = &p->scopes[0];
	size_t best_len = 0, best_text = 0;
	bool general = false;

	for (size_t i = 1; i < p->n; i++) {
		const struct requirements *s = &p->scopes[i];
		size_t len;

		if (strcmp(s->transport, transport) != 0)
			continue;
		len = covers(s->scope, name);
		if (!*s->scope && best_len == 0 && !general) {
			best = s;
			general = true;
		}
		/* Of two wildcards the longer says more. */
		if (len > best_len || (len && len == best_len && strlen(s->scope) > best_text)) {
			best = s;
			best_len = len;
			best_text = strlen(s->scope);
		}
	}
	return best;
}

/* deciding */

static int check_one(const struct policy *p, const struct requirements *s,
		     const struct requirement *r, const struct policy_question *q,
		     struct error *err)
{
	struct error why = { 0 };
	char scope[200];
	int got;

	if (s->transport)
		(void)snprintf(scope, sizeof(scope), "%.20s, scope '%.150s'", s->transport,
			       s->scope);
	else
		(void)snprintf(scope, sizeof(scope), "default");
	switch (r->kind) {
	case REQUIRE_NOTHING:
		return 0;
	case REQUIRE_MIRACLE:
		return error_set(err, -EPERM, "%s (%s) lets nothing in", p->file, scope);
	case REQUIRE_GPG:
	case REQUIRE_SIGSTORE:
		got = signature_check(r, q, &why);
		return got < 0 ? error_set(err, got == -EINVAL ? got : -EPERM,
					   "%s (%s) wants %s: %s", p->file, scope,
					   r->kind == REQUIRE_GPG ? "a GPG signature"
								  : "a sigstore signature",
					   why.text)
			       : 0;
	}
	return -EINVAL;
}

int policy_check(const struct policy *p, const struct policy_question *q, struct error *err)
{
	const struct requirements *s = policy_find(p, q->transport, q->name);
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++)
		r = check_one(p, s, &s->items[i], q, err);
	return r;
}

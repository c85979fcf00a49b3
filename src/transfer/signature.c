/* src/transfer/signature.c */
#include "transfer/signature.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"
#include "image/reference.h"
#include "transfer/policy.h"
#include "transfer/remote.h"
#include "transfer/checksum.h"

#define KEY_MAX        (1U << 20)
#define KEYS_MAX       64
#define SIGNATURE_MAX  (1U << 20)
#define SIGNATURES_MAX 64 /* of one image */
#define PAYLOAD_TYPE   "application/vnd.dev.cosign.simplesigning.v1+json"
#define NOTE_SIGNATURE "dev.cosignproject.cosign/signature"

struct keys {
	char *items[KEYS_MAX];
	size_t lens[KEYS_MAX];
	size_t n;
};

static void keys_done(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->items[i]);
	k->n = 0;
}

static int decode64(const char *text, char **ret, size_t *ret_len)
{
	size_t len = strlen(text), pad = 0;
	autofree char *plain = xcalloc(1, len + 4);
	int n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text, (int)len);

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (n < (int)pad)
		return -EBADMSG;
	plain[n - (int)pad] = '\0';
	*ret_len = (size_t)n - pad;
	*ret = steal_ptr(&plain);
	return 0;
}

static int load_keys(const struct requirement *r, struct keys *ret, struct error *err)
{
	if (r->key_data) {
		if (strlen(r->key_data) > KEY_MAX ||
		    decode64(r->key_data, &ret->items[0], &ret->lens[0]) < 0)
			return error_set(err, -EINVAL, "keyData is not base64");
		ret->n = 1;
		return 0;
	}
	for (size_t i = 0; i < r->key_paths.n && i < KEYS_MAX; i++) {
		int got = file_read_at(AT_FDCWD, r->key_paths.items[i], KEY_MAX, &ret->items[i],
				       &ret->lens[i], err);

		if (got < 0) {
			if (err)
				err->code = -EINVAL;
			return -EINVAL;
		}
		ret->n++;
	}
	return 0;
}

/* the text that is signed */

static int identity_expected(const struct requirement *r, const struct policy_question *q,
			     char ret[REFERENCE_MAX], bool *ret_repository, struct error *err)
{
	struct remote_name name;

	remote_name_parse(q->name, &name);
	*ret_repository = r->identity == IDENTITY_REPOSITORY ||
			  r->identity == IDENTITY_GIVEN_REPOSITORY ||
			  (r->identity == IDENTITY_EXACT_OR_REPOSITORY && name.digest) ||
			  (r->identity == IDENTITY_REMAP && name.digest);
	if (*ret_repository)
		(void)snprintf(ret, REFERENCE_MAX, "%s", name.repository);
	else
		(void)snprintf(ret, REFERENCE_MAX, "%s", q->name);
	remote_name_done(&name);
	if (r->identity == IDENTITY_GIVEN_REFERENCE || r->identity == IDENTITY_GIVEN_REPOSITORY)
		(void)snprintf(ret, REFERENCE_MAX, "%s", r->reference);
	if (r->identity == IDENTITY_REMAP && strncmp(ret, r->prefix, strlen(r->prefix)) == 0) {
		autofree char *mapped =
			xasprintf("%s%s", r->signed_prefix, ret + strlen(r->prefix));

		if (strlen(mapped) >= REFERENCE_MAX)
			return error_set(err, -EINVAL, "remapIdentity makes too long a name");
		(void)snprintf(ret, REFERENCE_MAX, "%s", mapped);
	}
	return 0;
}

static int check_identity(const char *signed_name, const struct requirement *r,
			  const struct policy_question *q, struct error *err)
{
	char want[REFERENCE_MAX], have[REFERENCE_MAX], canonical[REFERENCE_MAX];
	bool repository = false;
	int got = identity_expected(r, q, want, &repository, err);

	if (got < 0)
		return got;
	if (reference_canonical(signed_name, have, NULL) < 0)
		return error_set(err, -EPERM, "it is for '%.150s', which is no name", signed_name);
	if (repository) {
		struct remote_name name;

		remote_name_parse(have, &name);
		(void)snprintf(have, sizeof(have), "%s", name.repository);
		remote_name_done(&name);
	} else if (!strpbrk(strrchr(signed_name, '/') ? strrchr(signed_name, '/') : signed_name,
			    ":@")) {
		/* A name without a tag is no promise about one. */
		return error_set(
			err, -EPERM,
			"it is for %.150s without a tag, %.150s is expected (signedIdentity "
			"matchRepository takes it)",
			signed_name, want);
	}
	if (!repository && reference_canonical(want, canonical, NULL) == 0)
		(void)snprintf(want, sizeof(want), "%s", canonical);
	return strcmp(want, have) == 0
		       ? 0
		       : error_set(err, -EPERM, "it is for %.150s, %.150s is expected", have, want);
}

int signature_payload_check(const char *bytes, size_t len, const struct requirement *r,
			    const struct policy_question *q, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	const json_t *critical, *identity, *image;
	const char *digest, *name, *type;
	struct json_reader rd;
	int got = json_load_bytes(bytes, len, "signed text", &doc, err);

	if (got < 0)
		return got;
	json_reader_init(&rd, "signed text", err);
	if (!json_is_object(doc))
		return error_set(err, -EBADMSG, "signed text: expected an object");
	critical = json_read_object(&rd, doc, "critical");
	identity = json_read_object(&rd, critical, "identity");
	image = json_read_object(&rd, critical, "image");
	type = json_need_string(&rd, critical, "type");
	digest = json_need_string(&rd, image, "docker-manifest-digest");
	name = json_need_string(&rd, identity, "docker-reference");
	if (rd.r < 0)
		return rd.r;
	if (strcmp(type, r->kind == REQUIRE_GPG ? "atomic container signature"
						: "cosign container image signature") != 0)
		return error_set(err, -EPERM, "it is of another type, '%.60s'", type);
	if (strcmp(digest, q->digest) != 0)
		return error_set(err, -EPERM, "it is for %.19s..., the manifest is %.19s...",
				 digest, q->digest);
	return check_identity(name, r, q, err);
}

/* sigstore: one layer of the image sha256-HEX.sig is one signature */

static int verify_with(const char *pem, size_t pem_len, const void *bytes, size_t len,
		       const unsigned char *signature, size_t signature_len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)pem_len);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	/* Ed25519 signs the bytes themselves. */
	const EVP_MD *md = key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	int r = -EINVAL;

	if (key && ctx)
		r = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
				    EVP_DigestVerify(ctx, signature, signature_len, bytes, len) == 1
			    ? 0
			    : -EPERM;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return r;
}

static int verify_sigstore(const struct keys *keys, const struct remote_document *payload,
			   const char *signature64, struct error *err)
{
	autofree char *signature = NULL;
	size_t len = 0;

	if (strlen(signature64) > SIGNATURE_MAX || decode64(signature64, &signature, &len) < 0)
		return error_set(err, -EPERM, "the signature is not base64");
	for (size_t i = 0; i < keys->n; i++) {
		int r = verify_with(keys->items[i], keys->lens[i], payload->bytes, payload->len,
				    (unsigned char *)signature, len);

		if (r == 0)
			return 0;
		if (r == -EINVAL)
			return error_set(err, r, "key %zu is no public key in PEM form", i + 1);
	}
	return error_set(err, -EPERM, "the signature is by none of the keys");
}

static int check_layer(const json_t *layer, const struct keys *keys, const struct requirement *r,
		       const struct policy_question *q, struct error *err)
{
	const json_t *notes = json_object_get(layer, "annotations");
	const char *signature = json_string_value(json_object_get(notes, NOTE_SIGNATURE));
	const char *type = json_string_value(json_object_get(layer, "mediaType"));
	const char *digest = json_string_value(json_object_get(layer, "digest"));
	int64_t size = json_integer_value(json_object_get(layer, "size"));
	struct remote_document payload = { .len = 0 };
	int got;

	if (!signature || !type || !digest || strcmp(type, PAYLOAD_TYPE) != 0 ||
	    !checksum_is_digest(digest))
		return error_set(err, -EPERM, "what stands there is no signature");
	got = remote_blob(remote_channel(q->remote), q->repository, digest, size, &payload, err);
	if (got == 0)
		got = verify_sigstore(keys, &payload, signature, err);
	if (got == 0)
		got = signature_payload_check(payload.bytes, payload.len, r, q, err);
	remote_document_done(&payload);
	return got;
}

static int check_sigstore(const struct keys *keys, const struct requirement *r,
			  const struct policy_question *q, struct error *err)
{
	struct remote_document manifest = { .len = 0 };
	cleanup(json_cleanup) json_t *doc = NULL;
	const json_t *layers, *layer;
	autofree char *tag = xasprintf("%s.sig", q->digest);
	size_t i;
	int got;

	if (!q->remote)
		return error_set(err, -EPERM, "such signatures are in registries only");
	tag[strcspn(tag, ":")] = '-';
	got = remote_manifest(remote_channel(q->remote), q->repository, tag, &manifest, err);
	if (got == -ENOENT)
		got = error_set(err, -EPERM, "there is none (%s:%.30s... is not there)",
				q->repository, tag);
	if (got == 0)
		got = json_load_bytes(manifest.bytes, manifest.len, "signatures", &doc, err);
	remote_document_done(&manifest);
	if (got < 0)
		return got;
	layers = json_object_get(doc, "layers");
	got = error_set(err, -EPERM, "there is none");
	json_array_foreach (layers, i, layer) {
		if (i >= SIGNATURES_MAX)
			break;
		got = check_layer(layer, keys, r, q, err);
		if (got == 0 || got == -EINVAL)
			break;
	}
	return got;
}

/* GnuPG: DIR/REPOSITORY@sha256=HEX/signature-N */

static void list_places(const struct policy_question *q, struct strv *ret)
{
	static const char *const dirs[] = { "/var/lib/containers/sigstore" };
	const char *home = getenv("HOME");
	autofree char *digest = xstrdup(q->digest);
	/* The host is not part of it: a lookaside belongs to one. */
	const char *path = strchr(q->repository, '/');

	path = path ? path + 1 : q->repository;
	digest[strcspn(digest, ":")] = '=';
	if (home)
		strv_addf(ret, "%s/.local/share/containers/sigstore/%s@%s", home, path, digest);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		strv_addf(ret, "%s/%s@%s", dirs[i], path, digest);
}

static int check_message(const char *path, const struct keys *keys, const struct requirement *r,
			 const struct policy_question *q, struct error *err)
{
	autofree char *message = NULL, *text = NULL;
	size_t len = 0, text_len = 0;
	int got = file_read_at(AT_FDCWD, path, SIGNATURE_MAX, &message, &len, err);

	if (got == 0)
		got = gpg_verify((const char *const *)keys->items, keys->lens, keys->n, message,
				 len, &text, &text_len, err);
	return got < 0 ? got : signature_payload_check(text, text_len, r, q, err);
}

static int check_gpg(const struct keys *keys, const struct requirement *r,
		     const struct policy_question *q, struct error *err)
{
	struct strv places = { 0 };
	int got = error_set(err, -EPERM, "there is none for %.19s...", q->digest);

	if (q->remote)
		list_places(q, &places);
	else
		strv_add(&places, q->name); /* dir: has them beside the manifest */
	for (size_t i = 0; i < places.n && got < 0 && got != -EINVAL; i++) {
		for (unsigned n = 1; n <= SIGNATURES_MAX && got < 0; n++) {
			autofree char *path = xasprintf("%s/signature-%u", places.items[i], n);

			if (access(path, F_OK) < 0)
				break;
			got = check_message(path, keys, r, q, err);
		}
	}
	strv_done(&places);
	return got;
}

int signature_check(const struct requirement *r, const struct policy_question *q, struct error *err)
{
	cleanup(keys_done) struct keys keys = { .n = 0 };
	int got = load_keys(r, &keys, err);

	if (got < 0)
		return got;
	return r->kind == REQUIRE_GPG ? check_gpg(&keys, r, q, err)
				      : check_sigstore(&keys, r, q, err);
}

/* src/transfer/remote.h - registries, as seen from here: strake-registry on the other side of a
 * socket.
 *
 * Nothing that comes from it is believed: it has spoken with the network.  A channel is one
 * conversation, used by one thread at a time; each further one has a process of its own.
 */
#ifndef TRANSFER_REMOTE_H
#define TRANSFER_REMOTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "registry/wire.h"

struct remote;
struct channel;

struct remote_options {
	const char *program; /* path of strake-registry */
	const char *registries_conf, *auth_file, *cert_dir, *credentials; /* NULL: the usual */
	const char *tls_verify; /* "true", "false", NULL */
	int retries, stall_s;   /* -1, 0: the usual */
	/* What a person should know meanwhile: a try that failed, a mirror passed over; any thread.
	 */
	void (*note)(void *data, const char *text);
	void *data;
};

/* names: as typed, tags and digests too; hosts: registries as a whole.  Only what is named here can
 * be talked about.
 */
int remote_open(const struct remote_options *options, const struct strv *names,
		const struct strv *hosts, struct remote **ret, struct error *err) must_check;
void remote_close(struct remote *r);
DEFINE_CLEANUP(struct remote *, remote, remote_close);

/* What the i-th name may stand for, best first: canonical; more than one only if a search is
 * allowed.
 */
void remote_candidates(const struct remote *r, size_t i, struct strv *ret);
bool remote_name_is_short(const struct remote *r, size_t i);

/* The first channel is free; it is good until remote_close(). */
struct channel *remote_channel(struct remote *r);
int channel_open(struct remote *r, struct channel **ret, struct error *err) must_check;
void channel_close(struct channel *c);
/* Closes it, or keeps it for the next open if it owes no answer. */
void channel_release(struct channel *c);
int channel_fd(const struct channel *c); /* readable when there is an answer */

/* request is taken.  Returns what the other side did, with its text; *ret is
 * wire_message_done()'s, also after a failure.  fd stays the caller's.
 */
int channel_call(struct channel *c, json_t *request, const void *body, size_t len, int fd,
		 struct wire_message *ret, struct error *err) must_check;
/* The two halves of it, for what goes on meanwhile. */
int channel_ask(struct channel *c, json_t *request, const void *body, size_t len, int fd,
		struct error *err) must_check;
int channel_answer(struct channel *c, struct wire_message *ret, struct error *err) must_check;

/* A document with its bytes, as it came; its digest is computed here, and checked if it was asked
 * for by one.
 */
struct remote_document {
	char *bytes;
	size_t len;
	char *type; /* as the registry says, "" if it does not */
	char digest[136];
	char *rate; /* "76 of 100 pulls left", NULL if the registry counts none */
};
void remote_document_done(struct remote_document *d);
/* repository: "docker.io/library/debian"; ref: a tag or a digest. */
int remote_manifest(struct channel *c, const char *repository, const char *ref,
		    struct remote_document *ret, struct error *err) must_check;
int remote_blob(struct channel *c, const char *repository, const char *digest, int64_t size,
		struct remote_document *ret, struct error *err) must_check;

/* A canonical name's parts; heap texts.  ref is the digest if there is one, else the tag. */
struct remote_name {
	char *repository, *tag, *digest;
};
void remote_name_parse(const char *canonical, struct remote_name *ret);
void remote_name_done(struct remote_name *n);
const char *remote_name_ref(const struct remote_name *n);

#endif

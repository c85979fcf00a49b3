/* src/transfer/place_registry.c - docker://NAME */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "transfer/place.h"
#include "transfer/checksum.h"

#define PIPE_SIZE   (1 << 20)
#define BUFFER_SIZE (256U << 10)
#define INDEX_TYPE  "application/vnd.oci.image.index.v1+json"

struct registry_place {
	struct place base;
	struct remote *own; /* NULL if it was lent */
	struct remote_name name;
	int64_t chunk;
	const char *mount_from[4];
};

static struct registry_place *of(struct place *p)
{
	return (struct registry_place *)p;
}

static int get_document(struct place *p, const char *digest, struct remote_document *ret,
			struct error *err)
{
	return remote_manifest(remote_channel(p->remote), p->repository,
			       digest ? digest : remote_name_ref(&of(p)->name), ret, err);
}

/* reading */

static int drain(int from, int to, const struct descriptor *d, atomic_llong *got, struct error *err)
{
	autofree char *buffer = xmalloc(BUFFER_SIZE);
	int64_t total = 0;
	struct checksum v;
	ssize_t n;

	checksum_init(&v, d->digest);
	while ((n = TEMP_FAILURE_RETRY(read(from, buffer, BUFFER_SIZE))) > 0) {
		int r = file_write_all(to, buffer, (size_t)n);

		if (r < 0) {
			checksum_done(&v);
			return error_sys(err, r, "write a blob");
		}
		checksum_update(&v, buffer, (size_t)n);
		total += n;
		atomic_store(got, total);
	}
	if (n == 0 && total == d->size)
		return checksum_final(&v, "blob", err);
	checksum_done(&v);
	return n < 0 ? error_sys(err, -errno, "read a blob")
		     : error_set(err, -EBADMSG, "%.19s... ends after %lld of %lld bytes", d->digest,
				 (long long)total, (long long)d->size);
}

static int fetch(struct place *p, struct channel *c, const struct descriptor *d, int to,
		 atomic_llong *got, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	json_t *request = json_pack("{s:s, s:s, s:s, s:I}", "op", "blob", "name", p->repository,
				    "digest", d->digest, "size", (json_int_t)d->size);
	struct error why = { 0 };
	int ends[2], r, answered;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		json_decref(request);
		return error_sys(err, -errno, "make a pipe");
	}
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	r = channel_ask(c, request, NULL, 0, ends[1], err);
	(void)close(ends[1]);
	if (r == 0)
		r = drain(ends[0], to, d, got, err);
	(void)close(ends[0]);
	answered = channel_answer(c, &m, &why);
	/* Its reason is the better one, unless it only says that we stopped reading. */
	if (r < 0 && answered < 0 && answered != -EPIPE) {
		*err = why;
		return answered;
	}
	return r;
}

static int get_blob(struct place *p, const struct descriptor *d, int tmp_fd, atomic_llong *got,
		    struct blob_file *ret, struct error *err)
{
	struct channel *c = NULL;
	autoclose int fd = -1;
	int r;

	if (d->foreign)
		return error_set(err, -EMEDIUMTYPE, "%.19s... is not handed out by registries",
				 d->digest);
	r = channel_open(p->remote, &c, err);
	if (r == 0)
		r = place_tmp_file(tmp_fd, &fd, err);
	if (r == 0)
		r = fetch(p, c, d, fd, got, err);
	channel_release(c);
	if (r == 0)
		*ret = (struct blob_file) { .fd = steal_fd(&fd) };
	return r;
}

/* writing */

static int has_blob(struct place *p, const struct descriptor *d, bool *ret, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	struct channel *c = NULL;
	int r = channel_open(p->remote, &c, err);

	if (r == 0)
		r = channel_call(c,
				 json_pack("{s:s, s:s, s:s}", "op", "exists", "name", p->repository,
					   "digest", d->digest),
				 NULL, 0, -1, &m, err);
	channel_release(c);
	*ret = r == 0 && json_is_true(json_object_get(m.doc, "exists"));
	return r;
}

/* 1 if the registry had it elsewhere; *ret_location may be an upload that it began instead. */
static int mount(struct registry_place *p, struct channel *c, const struct descriptor *d,
		 char **ret_location, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->mount_from) && p->mount_from[i]; i++) {
		cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
		json_t *request =
			json_pack("{s:s, s:s, s:s, s:s}", "op", "mount", "name", p->base.repository,
				  "digest", d->digest, "from", p->mount_from[i]);
		const char *location;

		/* Whatever is wrong with that, an upload will do. */
		if (channel_call(c, request, NULL, 0, -1, &m, err) < 0)
			continue;
		if (json_is_true(json_object_get(m.doc, "mounted")))
			return 1;
		location = json_string_value(json_object_get(m.doc, "location"));
		free(*ret_location);
		*ret_location = xstrdup_or_null(location);
	}
	return 0;
}

static int put_blob(struct place *base, const struct descriptor *d, const struct blob_file *file,
		    struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	struct registry_place *p = of(base);
	autofree char *location = NULL;
	struct channel *c = NULL;
	int r = channel_open(base->remote, &c, err);

	if (r == 0)
		r = mount(p, c, d, &location, err);
	if (r == 0)
		r = channel_call(c,
				 json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s*}", "op", "put",
					   "name", base->repository, "digest", d->digest, "size",
					   (json_int_t)d->size, "start", (json_int_t)file->offset,
					   "chunk", (json_int_t)p->chunk, "location", location),
				 NULL, 0, file->fd, &m, err);
	channel_release(c);
	return r < 0 ? r : 0;
}

static int put_bytes(struct place *p, const char *ref, const char *type, const char *bytes,
		     size_t len, bool *ret_subject, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	int r = channel_call(remote_channel(p->remote),
			     json_pack("{s:s, s:s, s:s, s:s}", "op", "put-manifest", "name",
				       p->repository, "ref", ref, "type", type),
			     bytes, len, -1, &m, err);

	*ret_subject = r == 0 && json_object_get(m.doc, "subject");
	return r;
}

/* Registries without the referrers API keep the list under a tag, which who pushes looks after. */
static int add_to_fallback(struct place *p, const struct remote_document *doc,
			   const struct manifest *m, struct error *err)
{
	cleanup(wire_message_done) struct wire_message answer = WIRE_MESSAGE_INIT;
	cleanup(json_cleanup) json_t *index = NULL;
	autofree char *tag = xstrdup(m->subject), *text = NULL;
	const json_t *old, *item;
	json_t *list = json_array();
	bool subject;
	size_t i;
	int r = channel_call(remote_channel(p->remote),
			     json_pack("{s:s, s:s, s:s}", "op", "referrers", "name", p->repository,
				       "digest", m->subject),
			     NULL, 0, -1, &answer, err);

	old = r == 0 ? json_object_get(answer.doc, "manifests") : NULL;
	json_array_foreach (old, i, item) {
		const char *digest = json_string_value(json_object_get(item, "digest"));

		if (digest && strcmp(digest, doc->digest) != 0)
			(void)json_array_append(list, (json_t *)(uintptr_t)item);
	}
	(void)json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:s}", "mediaType", doc->type,
						    "digest", doc->digest, "size",
						    (json_int_t)doc->len, "artifactType",
						    *m->artifact_type ? m->artifact_type
						    : m->n            ? m->items[0].type
								      : ""));
	index = json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType", INDEX_TYPE,
			  "manifests", list);
	text = index ? json_dumps(index, JSON_COMPACT) : NULL;
	tag[strcspn(tag, ":")] = '-';
	if (r == 0)
		r = text ? put_bytes(p, tag, INDEX_TYPE, text, strlen(text), &subject, err)
			 : error_set(err, -EBADMSG, "the list of referrers is no JSON");
	return r;
}

static const char *type_of(const struct remote_document *doc, const struct manifest *m)
{
	if (*m->type)
		return m->type;
	if (doc->type && *doc->type)
		return doc->type;
	return m->is_index ? INDEX_TYPE : "application/vnd.oci.image.manifest.v1+json";
}

static int put_document(struct place *p, const struct remote_document *doc,
			const struct manifest *m, bool top, struct error *err)
{
	const struct remote_name *name = &of(p)->name;
	bool noticed = false;
	int r;

	if (top && name->digest && strcmp(name->digest, doc->digest) != 0)
		return error_set(err, -EINVAL,
				 "the image is %.19s..., the destination's name says "
				 "%.19s...",
				 doc->digest, name->digest);
	r = put_bytes(p, top && name->tag ? name->tag : doc->digest, type_of(doc, m), doc->bytes,
		      doc->len, &noticed, err);
	if (r == 0 && *m->subject && !noticed)
		r = add_to_fallback(p, doc, m, err);
	return r;
}

int place_put_tagged(struct place *p, const struct remote_document *doc, const struct manifest *m,
		     const char *tag, struct error *err)
{
	bool noticed;

	if (strcmp(p->transport, "docker") != 0)
		return p->ops->put_document(p, doc, m, false, err);
	return put_bytes(p, tag, type_of(doc, m), doc->bytes, doc->len, &noticed, err);
}

static int finish(struct place *p, struct error *err)
{
	(void)p;
	(void)err;
	return 0;
}

static void close_place(struct place *base)
{
	struct registry_place *p = of(base);

	remote_close(p->own);
	remote_name_done(&p->name);
	free(base->name);
	free(base->repository);
	free(p);
}

static const struct place_ops registry_ops = {
	.get_document = get_document,
	.get_blob = get_blob,
	.has_blob = has_blob,
	.put_blob = put_blob,
	.put_document = put_document,
	.finish = finish,
	.close = close_place,
};

/* One question before all the others: whether TLS is spoken, and a token, are known to all
 * processes that are forked from then on.  What is wrong with the registry itself shows here, too.
 */
static int warm_up(struct registry_place *p, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	int r = channel_call(remote_channel(p->own),
			     json_pack("{s:s, s:s}", "op", "greet", "name", p->base.repository),
			     NULL, 0, -1, &m, err);

	return r < 0 ? r : 0;
}

int place_open_registry(const struct place_context *c, const char *text, bool writing,
			struct place **ret, struct error *err)
{
	cleanup(place_cleanup) struct place *base = NULL;
	struct registry_place *p = xnew(struct registry_place);
	struct strv names = { 0 }, candidates = { 0 };
	int r;

	base = &p->base;
	*base = (struct place) { .ops = &registry_ops, .transport = "docker", .tmp_fd = -1 };
	p->chunk = c->chunk;
	memcpy(p->mount_from, c->mount_from, sizeof(p->mount_from));
	strv_add(&names, text);
	r = remote_open(c->remote, &names, NULL, &p->own, err);
	if (r == 0)
		remote_candidates(p->own, 0, &candidates);
	if (r == 0 && candidates.n != 1)
		r = error_set(err, -ENOTUNIQ, "'%.200s' may mean several registries; type one",
			      text);
	if (r == 0) {
		base->name = xstrdup(candidates.items[0]);
		remote_name_parse(base->name, &p->name);
		base->repository = xstrdup(p->name.repository);
		base->remote = p->own;
		if (writing)
			r = warm_up(p, err);
	}
	if (r == 0)
		*ret = steal_ptr(&base);
	strv_done(&names);
	strv_done(&candidates);
	return r;
}

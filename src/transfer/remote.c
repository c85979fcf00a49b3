/* src/transfer/remote.c */
#include "transfer/remote.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/json.h"
#include "transfer/checksum.h"

struct channel {
	struct remote *remote;
	int sock;
	bool owes;            /* an answer */
	struct channel *next; /* idle, too */
};

struct remote {
	struct remote_options options;
	pid_t pid;
	struct channel first;
	pthread_mutex_t
		lock; /* of the first channel, through which others are opened, and of notes */
	json_t *names;
	struct channel *idle;
};

/* starting */

static void child_exec(const char *program, int sock)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(sock, STDIN_FILENO) < 0)
		_exit(127);
	(void)execl(program, "strake-registry", NULL);
	_exit(127);
}

static int start(struct remote *r, struct error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, -errno, "make a socket pair");
	r->first.sock = pair[0];
	r->pid = fork();
	if (r->pid == 0)
		child_exec(r->options.program, pair[1]);
	(void)close(pair[1]);
	return r->pid < 0 ? error_sys(err, -errno, "start %s", r->options.program) : 0;
}

static void set_text(json_t *doc, const char *key, const char *value)
{
	if (value)
		(void)json_object_set_new(doc, key, json_string(value));
}

static json_t *make_hello(const struct remote_options *o, const struct strv *names,
			  const struct strv *hosts)
{
	json_t *doc = json_object();

	if (names)
		(void)json_object_set_new(doc, "names", json_from_strv(names));
	if (hosts)
		(void)json_object_set_new(doc, "hosts", json_from_strv(hosts));
	set_text(doc, "registriesConf", o->registries_conf);
	set_text(doc, "authFile", o->auth_file);
	set_text(doc, "certDir", o->cert_dir);
	set_text(doc, "credentials", o->credentials);
	set_text(doc, "tlsVerify", o->tls_verify);
	if (o->retries >= 0)
		(void)json_object_set_new(doc, "retries", json_integer(o->retries));
	if (o->stall_s > 0)
		(void)json_object_set_new(doc, "stallMs", json_integer(o->stall_s * 1000LL));
	return doc;
}

static void tell(struct remote *r, const json_t *doc, const char *key)
{
	const json_t *list = json_object_get(doc, key), *item;
	size_t i;

	if (!r->options.note)
		return;
	(void)pthread_mutex_lock(&r->lock);
	json_array_foreach (list, i, item)
		if (json_is_string(item))
			r->options.note(r->options.data, json_string_value(item));
	(void)pthread_mutex_unlock(&r->lock);
}

/* "r" and "text" of an answer, as an error of ours; a peer that says nonsense gets -EPROTO. */
static int verdict(const json_t *doc, struct error *err)
{
	json_int_t r = json_integer_value(json_object_get(doc, "r"));
	const char *text = json_string_value(json_object_get(doc, "text"));

	if (r > 0 || r < -4095 || !json_is_integer(json_object_get(doc, "r")))
		return error_set(err, -EPROTO, "strake-registry gives no proper answer");
	return r < 0 ? error_set(err, (int)r, "%s", text && *text ? text : "failed") : 0;
}

static int greet(struct remote *r, const struct strv *names, const struct strv *hosts,
		 struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	int got = channel_call(&r->first, make_hello(&r->options, names, hosts), NULL, 0, -1, &m,
			       err);

	if (got < 0)
		return got;
	tell(r, m.doc, "warnings");
	r->names = json_incref(json_object_get(m.doc, "names"));
	if (names && json_array_size(r->names) != names->n)
		return error_set(err, -EPROTO, "strake-registry gives no proper answer");
	return 0;
}

int remote_open(const struct remote_options *options, const struct strv *names,
		const struct strv *hosts, struct remote **ret, struct error *err)
{
	cleanup(remote_cleanup) struct remote *r = xnew(struct remote);
	int got;

	r->options = *options;
	r->first = (struct channel) { .remote = r, .sock = -1 };
	(void)pthread_mutex_init(&r->lock, NULL);
	got = start(r, err);
	if (got == 0)
		got = greet(r, names, hosts, err);
	if (got < 0)
		return got;
	*ret = steal_ptr(&r);
	return 0;
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	while (r->idle) {
		struct channel *c = r->idle;

		r->idle = c->next;
		channel_close(c);
	}
	if (r->first.sock >= 0)
		(void)close(r->first.sock);
	/* It may sit in a read; it holds nothing that a kill could break. */
	if (r->pid > 0) {
		(void)kill(r->pid, SIGKILL);
		(void)TEMP_FAILURE_RETRY(waitpid(r->pid, NULL, 0));
	}
	json_decref(r->names);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

void remote_candidates(const struct remote *r, size_t i, struct strv *ret)
{
	const json_t *list = json_object_get(json_array_get(r->names, i), "names"), *item;
	size_t k;

	json_array_foreach (list, k, item)
		if (json_is_string(item))
			strv_add(ret, json_string_value(item));
}

bool remote_name_is_short(const struct remote *r, size_t i)
{
	return json_is_true(json_object_get(json_array_get(r->names, i), "short"));
}

/* channels */

struct channel *remote_channel(struct remote *r)
{
	return &r->first;
}

static struct channel *take_idle(struct remote *r)
{
	struct channel *c;

	(void)pthread_mutex_lock(&r->lock);
	c = r->idle;
	if (c)
		r->idle = c->next;
	(void)pthread_mutex_unlock(&r->lock);
	return c;
}

void channel_release(struct channel *c)
{
	if (!c)
		return;
	if (c->owes) {
		channel_close(c);
		return;
	}
	(void)pthread_mutex_lock(&c->remote->lock);
	c->next = c->remote->idle;
	c->remote->idle = c;
	(void)pthread_mutex_unlock(&c->remote->lock);
}

int channel_open(struct remote *r, struct channel **ret, struct error *err)
{
	struct channel *c = take_idle(r);
	json_t *request;
	int pair[2], got;

	*ret = c;
	if (c)
		return 0;
	request = json_pack("{s:s}", "op", "worker");
	c = xnew(struct channel);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		json_decref(request);
		free(c);
		return error_sys(err, -errno, "make a socket pair");
	}
	*c = (struct channel) { .remote = r, .sock = pair[0] };
	(void)pthread_mutex_lock(&r->lock);
	got = channel_ask(&r->first, request, NULL, 0, pair[1], err);
	r->first.owes = false; /* to that there is none */
	(void)pthread_mutex_unlock(&r->lock);
	(void)close(pair[1]);
	if (got < 0) {
		channel_close(c);
		return got;
	}
	*ret = c;
	return 0;
}

int channel_fd(const struct channel *c)
{
	return c->sock;
}

void channel_close(struct channel *c)
{
	if (!c)
		return;
	(void)close(c->sock);
	free(c);
}

int channel_ask(struct channel *c, json_t *request, const void *body, size_t len, int fd,
		struct error *err)
{
	int r = wire_send(c->sock, request, body, len, fd, err);

	c->owes = true;
	json_decref(request);
	return r;
}

int channel_answer(struct channel *c, struct wire_message *ret, struct error *err)
{
	int r = wire_receive(c->sock, ret, err);

	if (r == 0 || r == -ECONNRESET)
		return error_set(err, -EPIPE, "strake-registry has ended without an answer");
	if (r < 0)
		return r;
	c->owes = false;
	tell(c->remote, ret->doc, "notes");
	return verdict(ret->doc, err);
}

int channel_call(struct channel *c, json_t *request, const void *body, size_t len, int fd,
		 struct wire_message *ret, struct error *err)
{
	int r = channel_ask(c, request, body, len, fd, err);

	return r < 0 ? r : channel_answer(c, ret, err);
}

/* documents */

void remote_document_done(struct remote_document *d)
{
	free(d->bytes);
	free(d->type);
	free(d->rate);
	*d = (struct remote_document) { .len = 0 };
}

static void take_rate(const json_t *doc, struct remote_document *ret)
{
	const char *limit = json_string_value(json_object_get(doc, "rateLimit"));
	const char *left = json_string_value(json_object_get(doc, "rateRemaining"));

	/* "100;w=21600" */
	if (limit && left)
		ret->rate = xasprintf("%.*s of %.*s pulls left", (int)strspn(left, "0123456789"),
				      left, (int)strspn(limit, "0123456789"), limit);
}

static int take_document(struct wire_message *m, const char *ref, struct remote_document *ret,
			 struct error *err)
{
	const char *type = json_string_value(json_object_get(m->doc, "type"));
	struct remote_document d = { .len = m->body_len };
	bool by_digest = checksum_is_digest(ref);
	int r = 0;

	if (by_digest)
		r = checksum_bytes(m->body ? m->body : "", m->body_len, ref, ref, err);
	if (r < 0)
		return r;
	if (by_digest)
		(void)snprintf(d.digest, sizeof(d.digest), "%s", ref);
	else
		checksum_digest_of(m->body ? m->body : "", m->body_len, d.digest);
	d.bytes = m->body ? steal_ptr(&m->body) : xstrdup("");
	d.type = xstrdup(type ? type : "");
	take_rate(m->doc, &d);
	*ret = d;
	return 0;
}

int remote_manifest(struct channel *c, const char *repository, const char *ref,
		    struct remote_document *ret, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	json_t *request =
		json_pack("{s:s, s:s, s:s}", "op", "manifest", "name", repository, "ref", ref);
	int r = channel_call(c, request, NULL, 0, -1, &m, err);

	return r < 0 ? r : take_document(&m, ref, ret, err);
}

int remote_blob(struct channel *c, const char *repository, const char *digest, int64_t size,
		struct remote_document *ret, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	json_t *request;
	int r;

	if (size < 0 || size > (int64_t)WIRE_BODY_MAX)
		return error_set(err, -EFBIG, "%.19s... has %lld bytes; %u MiB are the most",
				 digest, (long long)size, WIRE_BODY_MAX >> 20);
	request = json_pack("{s:s, s:s, s:s, s:I}", "op", "document", "name", repository, "digest",
			    digest, "size", (json_int_t)size);
	r = channel_call(c, request, NULL, 0, -1, &m, err);
	return r < 0 ? r : take_document(&m, digest, ret, err);
}

/* names */

void remote_name_parse(const char *canonical, struct remote_name *ret)
{
	const char *at = strchr(canonical, '@');
	size_t len = at ? (size_t)(at - canonical) : strlen(canonical);
	char *name = xstrndup(canonical, len), *slash = strrchr(name, '/'),
	     *colon = strrchr(name, ':');

	*ret = (struct remote_name) { .digest = at ? xstrdup(at + 1) : NULL };
	if (slash && colon && colon > slash) {
		*colon = '\0';
		ret->tag = xstrdup(colon + 1);
	}
	ret->repository = name;
}

void remote_name_done(struct remote_name *n)
{
	free(n->repository);
	free(n->tag);
	free(n->digest);
	*n = (struct remote_name) { .tag = NULL };
}

const char *remote_name_ref(const struct remote_name *n)
{
	return n->digest ? n->digest : n->tag ? n->tag : "latest";
}

/* src/registry/serve.c */
#include "registry/serve.h"

#include <curl/curl.h>
#include <signal.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "image/reference.h"
#include "registry/op.h"
#include "registry/sandbox.h"

#define RETRIES_DEFAULT  5
#define RETRIES_MAX      100
#define STALL_DEFAULT_MS 60000
#define BACK_OFF_MS      250
#define NAMES_MAX        4096

static int answer(int sock, const json_t *doc, const struct buf *body, struct error *err)
{
	return wire_send(sock, doc, body ? buf_text(body) : NULL, body ? body->len : 0, -1, err);
}

/* hello */

static int read_options(struct json_reader *rd, const json_t *doc, struct session_options *ret)
{
	const char *verify = json_read_string(rd, doc, "tlsVerify", "");

	*ret = (struct session_options) {
		.registries_conf = json_read_string(rd, doc, "registriesConf", NULL),
		.auth_file = json_read_string(rd, doc, "authFile", NULL),
		.cert_dir = json_read_string(rd, doc, "certDir", NULL),
		.credentials = json_read_string(rd, doc, "credentials", NULL),
		.verify = strcmp(verify, "true") == 0    ? TLS_VERIFY_YES
			  : strcmp(verify, "false") == 0 ? TLS_VERIFY_NO
							 : TLS_VERIFY_DEFAULT,
		.retries = (unsigned)json_read_int(rd, doc, "retries", 0, RETRIES_MAX,
						   RETRIES_DEFAULT),
		.stall_ms = json_read_int(rd, doc, "stallMs", 100, 86400000, STALL_DEFAULT_MS),
		.back_off_ms = json_read_int(rd, doc, "backOffMs", 1, 60000, BACK_OFF_MS),
	};
	return rd->r;
}

/* "host/path:tag@digest" without tag and digest. */
static char *repository_of(const char *canonical)
{
	char *name = xstrndup(canonical, strcspn(canonical, "@"));
	char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');

	if (slash && colon && colon > slash)
		*colon = '\0';
	return name;
}

static int prepare_name(struct session *s, const char *typed, json_t *list, struct error *err)
{
	bool is_short = name_is_short(typed);
	struct strv names = { 0 };
	char canonical[REFERENCE_MAX];
	int r;

	if (is_short) {
		r = registries_expand(&s->registries, typed, &names, err);
	} else {
		r = reference_canonical(typed, canonical, err);
		if (r == 0)
			strv_add(&names, canonical);
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		autofree char *repository = repository_of(names.items[i]);

		r = session_prepare(s, repository, err);
	}
	if (r == 0)
		(void)json_array_append_new(list,
					    json_pack("{s:s, s:b, s:o}", "typed", typed, "short",
						      is_short, "names", json_from_strv(&names)));
	strv_done(&names);
	return r;
}

/* Names as typed, and hosts for what is about a whole registry. */
static int prepare_all(struct session *s, const json_t *doc, json_t *reply, struct error *err)
{
	struct strv names = { 0 }, hosts = { 0 };
	json_t *list = json_array();
	struct json_reader rd;
	int r;

	json_reader_init(&rd, "hello", err);
	json_read_strings(&rd, doc, "names", &names);
	json_read_strings(&rd, doc, "hosts", &hosts);
	r = rd.r;
	if (r == 0 && names.n + hosts.n > NAMES_MAX)
		r = error_set(err, -E2BIG, "too many names");
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = prepare_name(s, names.items[i], list, err);
	for (size_t i = 0; r == 0 && i < hosts.n; i++)
		r = session_prepare(s, hosts.items[i], err);
	(void)json_object_set_new(reply, "names", list);
	(void)json_object_set_new(reply, "warnings", json_from_strv(&s->registries.warnings));
	strv_done(&names);
	strv_done(&hosts);
	return r;
}

static int hello(int sock, struct session *s, struct wire_message *m, struct error *err)
{
	cleanup(json_cleanup) json_t *reply = json_object();
	struct session_options options;
	struct error why = { 0 };
	struct json_reader rd;
	int r = wire_receive(sock, m, err);

	if (r <= 0)
		return r < 0 ? r : error_set(err, -ECONNRESET, "nobody asks for anything");
	json_reader_init(&rd, "hello", &why);
	r = read_options(&rd, m->doc, &options);
	if (r == 0)
		r = session_init(s, &options, &why);
	if (r == 0)
		r = prepare_all(s, m->doc, reply, &why);
	if (r == 0)
		r = sandbox_enter(&why);
	(void)json_object_set_new(reply, "r", json_integer(r));
	(void)json_object_set_new(reply, "text", json_string(why.text));
	if (answer(sock, reply, NULL, err) < 0)
		return err->code;
	return r;
}

/* then */

static int serve(int sock, struct session *s, struct error *err);

static void start_worker(int sock, struct session *s, struct wire_message *m)
{
	struct error err = { 0 };
	pid_t pid = fork();

	if (pid != 0)
		return;
	sandbox_die_with_parent();
	(void)close(sock);
	sock = steal_fd(&m->fd);
	session_reopen(s, sock);
	_exit(serve(sock, s, &err) < 0);
}

static int serve_one(int sock, struct session *s, struct wire_message *m, struct error *err)
{
	cleanup(json_cleanup) json_t *reply = NULL;
	const char *op = json_string_value(json_object_get(m->doc, "op"));
	struct buf body;
	int r;

	if (op && strcmp(op, "worker") == 0 && m->fd >= 0) {
		start_worker(sock, s, m);
		return 0;
	}
	op_run(s, m, &reply, &body);
	/* Its end is what the reader of the pipe waits for; the answer comes behind it. */
	if (m->fd >= 0)
		(void)close(steal_fd(&m->fd));
	r = answer(sock, reply, &body, err);
	buf_done(&body);
	return r;
}

static int serve(int sock, struct session *s, struct error *err)
{
	for (;;) {
		cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
		int r = wire_receive(sock, &m, err);

		if (r > 0)
			r = serve_one(sock, s, &m, err);
		else
			return r;
		if (r < 0)
			return r;
	}
}

int serve_run(int sock, struct error *err)
{
	cleanup(wire_message_done) struct wire_message first = WIRE_MESSAGE_INIT;
	struct session s = { .n = 0 };
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	sandbox_die_with_parent();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return error_set(err, -EIO, "start libcurl");
	r = hello(sock, &s, &first, err);
	(void)signal(SIGCHLD, SIG_IGN); /* workers are not waited for, helpers for passwords were */
	if (r == 0) {
		session_reopen(&s, sock);
		r = serve(sock, &s, err);
	}
	session_done(&s);
	return r;
}

/* src/registry/token.c - distribution's token and OAuth2 rules. */
#include "registry/token.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "registry/session.h"

#define TOKEN_MAX     (128U << 10)
#define URL_MAX       16384
#define LIFE_MIN_S    60
#define LIFE_MAX_S    86400
#define LIFE_MARGIN_S 10 /* one that ends on its way is of no use */

static char *basic_header(const struct credentials *c)
{
	autofree char *plain = xasprintf("%s:%s", c->user, c->secret ? c->secret : "");
	size_t len = strlen(plain);
	autofree char *coded = xcalloc(1, (len + 2) / 3 * 4 + 1);

	(void)EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)plain, (int)len);
	return xasprintf("Basic %s", coded);
}

static char *scope_of(const struct endpoint *e, const struct call *c)
{
	return *e->repo ? xasprintf("repository:%s:%s", e->repo, c->actions) : xstrdup("");
}

static char *key_of(const struct endpoint *e, const struct call *c)
{
	autofree char *scope = scope_of(e, c);

	return xasprintf("%s %s", scope, c->extra_scope ? c->extra_scope : "");
}

static struct token *find_token(struct endpoint *e, const char *key)
{
	for (size_t i = 0; i < TOKENS_MAX; i++)
		if (e->tokens[i].scope && strcmp(e->tokens[i].scope, key) == 0)
			return &e->tokens[i];
	return NULL;
}

/* An empty slot, or the one that ends first. */
static void put_token(struct endpoint *e, const char *key, const char *value, int64_t life_s)
{
	struct token *t = find_token(e, key);

	for (size_t i = 0; !t && i < TOKENS_MAX; i++)
		if (!e->tokens[i].scope)
			t = &e->tokens[i];
	for (size_t i = 0; !t && i < TOKENS_MAX; i++)
		if (i == 0 || e->tokens[i].until_ms < t->until_ms)
			t = &e->tokens[i];
	free(t->scope);
	free(t->value);
	t->scope = xstrdup(key);
	t->value = xstrdup(value);
	t->until_ms = clock_monotonic_ms() + (life_s - LIFE_MARGIN_S) * 1000;
}

/* asking for one */

static void add_query(struct buf *b, const char *name, const char *value)
{
	autofree char *escaped = url_escape(value);

	buf_addf(b, "%s%s=%s", b->len ? "&" : "", name, escaped);
}

static void add_scopes(struct buf *b, const struct endpoint *e, const struct call *c, bool joined)
{
	autofree char *scope = scope_of(e, c);

	if (!*scope && !c->extra_scope)
		return;
	if (joined) {
		autofree char *both = xasprintf("%s%s%s", scope, c->extra_scope ? " " : "",
						c->extra_scope ? c->extra_scope : "");

		add_query(b, "scope", both);
		return;
	}
	if (*scope)
		add_query(b, "scope", scope);
	if (c->extra_scope)
		add_query(b, "scope", c->extra_scope);
}

static int read_token(struct endpoint *e, const char *key, const struct http_response *r,
		      struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	const char *value;
	struct json_reader rd;
	int64_t life;
	int got = json_load_bytes(buf_text(&r->body), r->body.len, "the token server's answer",
				  &doc, err);

	if (got < 0)
		return got;
	json_reader_init(&rd, "the token server's answer", err);
	value = json_read_string(&rd, doc, "token", NULL);
	if (!value || !*value)
		value = json_read_string(&rd, doc, "access_token", "");
	life = json_read_int(&rd, doc, "expires_in", INT64_MIN, INT64_MAX, LIFE_MIN_S);
	if (rd.r < 0)
		return rd.r;
	if (!*value || strpbrk(value, "\r\n"))
		return error_set(err, -EPROTO, "the token server gives no token");
	put_token(e, key, value, MAX(LIFE_MIN_S, MIN(life, LIFE_MAX_S)));
	return 0;
}

static int ask(struct session *s, const struct endpoint *e, struct http_request *q,
	       struct http_response *ret, struct error *err)
{
	for (unsigned tries = 0;; tries++) {
		struct error why = { 0 };
		int r = http_exchange(s->http, q, ret, &why);
		bool again =
			r < 0 ? http_is_transient(r) : ret->status >= 500 || ret->status == 429;

		if (!again || tries >= s->options.retries) {
			if (r < 0 && err)
				*err = why;
			return r < 0 ? error_wrap(err, r, "token server %s", e->realm) : 0;
		}
		r = http_wait(s->http, s->options.back_off_ms << MIN(tries, 5U));
		if (r < 0)
			return error_sys(err, r, "token server %s", e->realm);
	}
}

static int judge(const struct endpoint *e, const struct http_response *r, struct error *err)
{
	char whom[300] = "";

	if (r->status == 200)
		return 0;
	if (credentials_given(&e->credentials))
		(void)snprintf(whom, sizeof(whom), " the credentials of %.200s",
			       e->credentials.from);
	return error_set(err, r->status == 401 || r->status == 403 ? -EACCES : -EIO,
			 "token server %.200s refuses%s (HTTP %d)", e->realm,
			 *whom ? whom : " to answer without credentials", r->status);
}

/* POST with an identity token, GET otherwise. */
static int fetch(struct session *s, struct endpoint *e, const struct call *c, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	struct http_request q = HTTP_REQUEST_INIT;
	autofree char *url = NULL, *basic = NULL, *key = key_of(e, c);
	const struct credentials *own = &e->credentials;
	struct buf query = BUF_INIT(URL_MAX);
	int r;

	if (own->identity_token) {
		add_query(&query, "grant_type", "refresh_token");
		add_query(&query, "client_id", "strake");
		add_query(&query, "refresh_token", own->identity_token);
	} else if (own->user) {
		add_query(&query, "account", own->user);
		basic = basic_header(own);
	}
	if (e->service)
		add_query(&query, "service", e->service);
	add_scopes(&query, e, c, own->identity_token != NULL);
	q.method = own->identity_token ? "POST" : "GET";
	url = own->identity_token ? xstrdup(e->realm)
				  : xasprintf("%s%s%s", e->realm, strchr(e->realm, '?') ? "&" : "?",
					      buf_text(&query));
	q.url = url;
	if (own->identity_token) {
		q.has_body = true;
		q.body = buf_text(&query);
		q.body_size = (int64_t)query.len;
		q.content_type = "application/x-www-form-urlencoded";
	}
	q.authorization = basic;
	q.body_max = TOKEN_MAX;
	q.tls = &e->tls;
	q.no_verify = e->no_verify;
	r = buf_result(&query) < 0 ? error_set(err, -E2BIG, "the token request is too long")
				   : ask(s, e, &q, &answer, err);
	if (r == 0)
		r = judge(e, &answer, err);
	if (r == 0)
		r = read_token(e, key, &answer, err);
	buf_done(&query);
	return r;
}

int token_header(struct session *s, struct endpoint *e, const struct call *c, char **ret,
		 struct error *err)
{
	autofree char *key = NULL;
	const struct token *t;
	int r;

	if (e->credentials.registry_token) {
		*ret = xasprintf("Bearer %s", e->credentials.registry_token);
		return 0;
	}
	if (e->auth == AUTH_BASIC)
		*ret = basic_header(&e->credentials);
	if (e->auth != AUTH_BEARER)
		return 0;
	key = key_of(e, c);
	t = find_token(e, key);
	if (!t || t->until_ms < clock_monotonic_ms()) {
		r = fetch(s, e, c, err);
		if (r < 0)
			return r;
		t = find_token(e, key);
	}
	*ret = xasprintf("Bearer %s", t->value);
	return 0;
}

/* Passwords go to a token server in the clear only if the registry itself is without TLS. */
static int take_bearer(struct endpoint *e, const struct challenge *ch, const char *url,
		       struct error *err)
{
	autofree char *realm = url_resolve(ch->realm, ch->realm);

	if (!realm)
		return error_set(err, -EPROTO, "%s names no token server but '%.200s'", e->host,
				 ch->realm);
	if (!url_is_secure(realm) && url_is_secure(url) && !e->no_verify)
		return error_set(err, -EPROTO,
				 "%s names a token server without TLS, %.200s: refused", e->host,
				 realm);
	free(e->realm);
	free(e->service);
	e->realm = steal_ptr(&realm);
	e->service = xstrdup_or_null(ch->service);
	e->auth = AUTH_BEARER;
	return 1;
}

static const struct challenge *pick(const struct http_response *r, enum challenge_kind kind)
{
	for (size_t i = 0; i < r->challenges.n; i++)
		if (r->challenges.items[i].kind == kind)
			return &r->challenges.items[i];
	return NULL;
}

int token_renew(struct endpoint *e, const struct call *c, const char *url,
		const struct http_response *refused, bool sent, struct error *err)
{
	const struct challenge *bearer = pick(refused, CHALLENGE_BEARER);
	autofree char *key = key_of(e, c);
	struct token *t;

	if (e->credentials.registry_token)
		return 0;
	if (bearer && bearer->realm) {
		t = find_token(e, key);
		/* One that was just fetched and is refused is not worth another. */
		if (t && sent)
			t->until_ms = 0;
		return take_bearer(e, bearer, url, err);
	}
	if (!pick(refused, CHALLENGE_BASIC) || !e->credentials.user || e->auth == AUTH_BASIC)
		return 0;
	e->auth = AUTH_BASIC;
	return 1;
}

/* src/registry/http.c */
#include "registry/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

#define HEADER_MAX     8192
#define HEADERS_MAX    64
#define HEADER_BYTES   (256U << 10) /* of one exchange, trailers and interim answers too */
#define WORDS_PER_MS   4            /* bytes; who sends what we keep more slowly than that stalls */
#define CONNECT_MS     30000L
#define ERROR_BODY_MAX (64U << 10)
#define BUFFER_SIZE    (256L << 10)
#define UPLOAD_BUFFER  (512L << 10)

struct http {
	CURL *curl;
	struct http_options options;
};

/* What the callbacks of one exchange share. */
struct exchange {
	struct http *http;
	const struct http_request *q;
	struct http_response *ret;
	int64_t last_ms; /* when what is wanted last moved: bytes for the sink, an upload's */
	int64_t moved;   /* how many had then */
	int64_t byte_ms; /* when anything came */
	size_t headers;  /* bytes of them */
	int64_t words;   /* bytes that are no blob's: headers, documents, errors */
	bool answered;
	bool begun;
	bool enough; /* of an error's body: what follows it changes nothing */
	int64_t skipped;
	int64_t sent;
	int failed; /* our own reason to stop */
};

struct http *http_new(const struct http_options *options)
{
	struct http *h = xnew(struct http);

	h->options = *options;
	h->curl = curl_easy_init();
	if (!h->curl)
		abort();
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

void tls_done(struct tls *t)
{
	free(t->ca);
	free(t->cert);
	free(t->key);
	*t = (struct tls) { .ca = NULL };
}

void http_response_done(struct http_response *r)
{
	strv_done(&r->headers);
	challenges_done(&r->challenges);
	buf_done(&r->body);
	*r = (struct http_response) { .status = 0 };
}

const char *http_header(const struct http_response *r, const char *name)
{
	return strv_env_get(&r->headers, name);
}

/* callbacks */

static void start_answer(struct exchange *x, const char *line)
{
	const char *blank = strchr(line, ' ');

	strv_done(&x->ret->headers);
	challenges_done(&x->ret->challenges);
	x->ret->status = blank ? (int)strtol(blank + 1, NULL, 10) : 0;
	/* A server may think before it answers; "102 Processing" is no answer. */
	if (x->ret->status >= 200 && !x->answered) {
		x->answered = true;
		x->last_ms = x->byte_ms;
	}
}

static void keep_header(struct exchange *x, char *line)
{
	static const char *const wanted[] = {
		"location",
		"content-type",
		"content-length",
		"docker-content-digest",
		"link",
		"range",
		"content-range",
		"retry-after",
		"oci-subject",
		"oci-filters-applied",
		"oci-chunk-min-length",
		"ratelimit-limit",
		"ratelimit-remaining",
		"docker-upload-uuid",
		"etag",
		"last-modified",
		"content-disposition",
	};
	char *colon = strchr(line, ':'), *value;

	if (!colon)
		return;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	if (strcasecmp(line, "www-authenticate") == 0)
		challenges_parse(value, &x->ret->challenges);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (strcasecmp(line, wanted[i]) == 0 && x->ret->headers.n < HEADERS_MAX)
			strv_addf(&x->ret->headers, "%s=%s", wanted[i], value);
}

/* Neither resets the clock of stalls: a line now and then would keep us for ever. */
static void count_words(struct exchange *x, size_t len)
{
	x->byte_ms = clock_monotonic_ms();
	x->words += (int64_t)len;
}

/* libcurl keeps each line that it gives us, and has no limit for trailers. */
static size_t on_header(char *bytes, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	size_t len = size * n;
	char line[HEADER_MAX + 1];

	count_words(x, len);
	x->headers += len;
	if (x->headers > HEADER_BYTES) {
		x->failed = -EPROTO;
		return 0;
	}
	if (len > HEADER_MAX || memchr(bytes, 0, len))
		return len;
	memcpy(line, bytes, len);
	while (len > 0 && strchr("\r\n \t", line[len - 1]))
		len--;
	line[len] = '\0';
	if (strncmp(line, "HTTP/", 5) == 0)
		start_answer(x, line);
	else
		keep_header(x, line);
	return size * n;
}

/* A consumer that is slow is no stall of the network: the clock starts again behind the write. */
static size_t to_sink(struct exchange *x, const char *bytes, size_t len)
{
	const struct http_request *q = x->q;
	size_t skip = 0;
	int r = 0;

	if (!x->begun && q->begun)
		r = q->begun(q->data, x->ret);
	x->begun = true;
	if (r < 0) {
		x->failed = r;
		return 0;
	}
	if (x->ret->status == 200 && x->skipped < q->sink_skip) {
		skip = (size_t)MIN((int64_t)len, q->sink_skip - x->skipped);
		x->skipped += (int64_t)skip;
	}
	if ((int64_t)(len - skip) > q->sink_max - x->ret->streamed) {
		x->failed = -EMSGSIZE;
		return 0;
	}
	r = file_write_all(q->sink_fd, bytes + skip, len - skip);
	if (r < 0) {
		x->failed = r;
		return 0;
	}
	x->ret->streamed += (int64_t)(len - skip);
	x->last_ms = x->byte_ms = clock_monotonic_ms();
	return len;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	bool good = x->ret->status >= 200 && x->ret->status < 300;

	if (good && x->q->sink_fd >= 0)
		return to_sink(x, bytes, size * n);
	count_words(x, size * n);
	buf_add(&x->ret->body, bytes, size * n);
	if (buf_result(&x->ret->body) == 0)
		return size * n;
	x->failed = good ? -EMSGSIZE : 0;
	x->enough = !good;
	return 0;
}

static size_t on_upload(char *room, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	const struct http_request *q = x->q;
	size_t want = (size_t)MIN((int64_t)(size * n), q->body_size - x->sent);
	ssize_t got = (ssize_t)want;

	x->last_ms = x->byte_ms = clock_monotonic_ms();
	if (q->body_fd < 0)
		memcpy(room, (const char *)q->body + x->sent, want);
	else if (want > 0)
		got = TEMP_FAILURE_RETRY(pread(q->body_fd, room, want, q->body_offset + x->sent));
	if (got < 0 || (got == 0 && want > 0)) {
		x->failed = got < 0 ? -errno : -EIO;
		return CURL_READFUNC_ABORT;
	}
	x->sent += got;
	return (size_t)got;
}

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = 0 };

	return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int on_progress(void *data, curl_off_t dl_total, curl_off_t down, curl_off_t ul_total,
		       curl_off_t up)
{
	struct exchange *x = data;
	int64_t now = clock_monotonic_ms(), allowed = x->words / WORDS_PER_MS;

	(void)dl_total;
	(void)down;
	(void)ul_total;
	if (up != x->moved) {
		x->moved = up;
		x->last_ms = x->byte_ms = now;
	}
	if (hung_up(x->http->options.cancel_fd))
		x->failed = -EPIPE;
	else if (now - x->last_ms > x->http->options.stall_ms + allowed)
		x->failed = -ETIMEDOUT;
	return x->failed < 0;
}

/* setting up */

static void set_blob(CURL *c, CURLoption option, const char *pem)
{
	struct curl_blob blob = { .data = (void *)(uintptr_t)pem,
				  .len = strlen(pem),
				  .flags = CURL_BLOB_NOCOPY };

	(void)curl_easy_setopt(c, option, &blob);
}

static void set_tls(CURL *c, const struct http_request *q)
{
	if (q->no_verify) {
		(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (!q->tls)
		return;
	/* The machine's own stay good: they are found by directory (CURLOPT_CAPATH). */
	if (q->tls->ca)
		set_blob(c, CURLOPT_CAINFO_BLOB, q->tls->ca);
	if (q->tls->cert && q->tls->key) {
		set_blob(c, CURLOPT_SSLCERT_BLOB, q->tls->cert);
		set_blob(c, CURLOPT_SSLKEY_BLOB, q->tls->key);
	}
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	autofree char *line = value ? xasprintf("%s: %s", name, value) : NULL;

	/* A value with a line end would be a second header. */
	if (!line || strpbrk(line, "\r\n"))
		return list;
	return curl_slist_append(list, line);
}

static struct curl_slist *make_headers(const struct http_request *q)
{
	struct curl_slist *list = NULL;

	list = add_header(list, "Authorization", q->authorization);
	list = add_header(list, "Content-Type", q->content_type);
	list = add_header(list, "Accept", q->accept);
	list = add_header(list, "Range", q->range);
	list = add_header(list, "Content-Range", q->content_range);
	/* No waiting for "100 Continue" that many proxies never send. */
	return curl_slist_append(list, "Expect:");
}

static void set_body(CURL *c, const struct http_request *q, struct exchange *x)
{
	if (strcmp(q->method, "HEAD") == 0) {
		(void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	if (q->has_body) {
		(void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->body_size);
		(void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_upload);
		(void)curl_easy_setopt(c, CURLOPT_READDATA, x);
		(void)curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	} else if (strcmp(q->method, "GET") != 0) {
		/* "Content-Length: 0", which some proxies insist on. */
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
	}
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_all(struct http *h, const struct http_request *q, struct exchange *x,
		    struct curl_slist *headers, char *text)
{
	CURL *c = h->curl;

	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, q->url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "strake/" STRAKE_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
	(void)curl_easy_setopt(c, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	(void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
	set_tls(c, q);
	set_body(c, q, x);
}

/* the verdict */

static int code_of(CURLcode code)
{
	static const struct {
		CURLcode code;
		int r;
	} known[] = {
		{ CURLE_COULDNT_CONNECT, -ECONNREFUSED },
		{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH },
		{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH },
		{ CURLE_URL_MALFORMAT, -EINVAL },
		{ CURLE_UNSUPPORTED_PROTOCOL, -EPROTO },
		{ CURLE_SSL_CONNECT_ERROR, -ENOTSUP },
		{ CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED },
		{ CURLE_SSL_ISSUER_ERROR, -EKEYREJECTED },
		{ CURLE_SSL_CERTPROBLEM, -EKEYREJECTED },
		{ CURLE_SSL_CACERT_BADFILE, -EKEYREJECTED },
		{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
		{ CURLE_WEIRD_SERVER_REPLY, -EPROTO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].code == code)
			return known[i].r;
	/* Receive and send errors, nothing got, a part only, streams of HTTP/2 and 3. */
	return -ECONNRESET;
}

static int explain_failure(const struct exchange *x, CURLcode code, const char *text,
			   struct error *err)
{
	int r = x->failed < 0 ? x->failed : code_of(code);

	if (x->failed == -ETIMEDOUT &&
	    clock_monotonic_ms() - x->byte_ms < x->http->options.stall_ms / 2)
		return error_set(err, r, "the answer comes too slowly, and has no end");
	if (x->failed == -ETIMEDOUT)
		return error_set(err, r, "no byte came for %lld seconds",
				 (long long)(x->http->options.stall_ms / 1000));
	if (x->failed == -EMSGSIZE)
		return error_set(err, r, "the server sends more than it should");
	if (x->failed == -EPROTO)
		return error_set(err, r, "the server sends more than %u KiB of headers",
				 HEADER_BYTES >> 10);
	if (x->failed < 0)
		return error_sys(err, r, "pass on the data");
	return error_set(err, r, "%s", *text ? text : curl_easy_strerror(code));
}

int http_exchange(struct http *h, const struct http_request *q, struct http_response *ret,
		  struct error *err)
{
	struct exchange x = { .http = h, .q = q, .ret = ret, .last_ms = clock_monotonic_ms() };
	struct curl_slist *headers = make_headers(q);
	char text[CURL_ERROR_SIZE] = "";
	bool early;
	CURLcode code;

	http_response_done(ret);
	buf_init(&ret->body, MAX(q->body_max, ERROR_BODY_MAX));
	set_all(h, q, &x, headers, text);
	code = curl_easy_perform(h->curl);
	curl_slist_free_all(headers);
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
	/* A server may answer before it has read all of an upload, and close. */
	early = code == CURLE_SEND_ERROR && ret->status >= 400;
	if (early || (code == CURLE_WRITE_ERROR && x.enough))
		code = CURLE_OK;
	return code == CURLE_OK && x.failed == 0 ? 0 : explain_failure(&x, code, text, err);
}

bool http_is_transient(int r)
{
	return r == -ECONNRESET || r == -ETIMEDOUT;
}

int http_wait(struct http *h, int64_t ms)
{
	int64_t end = clock_monotonic_ms() + ms, left;

	while ((left = end - clock_monotonic_ms()) > 0) {
		struct pollfd p = { .fd = h->options.cancel_fd, .events = 0 };

		if (poll(&p, 1, (int)MIN(left, 60000)) > 0)
			return -ECANCELED;
	}
	return 0;
}

/* URLs */

static char *url_part(const char *url, CURLUPart part)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK)
		copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

char *url_resolve(const char *base, const char *target)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, target, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK &&
	    (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0))
		copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

bool url_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		autofree char *x = url_part(a, parts[i]), *y = url_part(b, parts[i]);

		if (!x || !y || strcasecmp(x, y) != 0)
			return false;
	}
	return true;
}

bool url_is_secure(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

/* "127.example.com" is a name like any other; so is what inet_aton() would take beyond four
 * numbers.
 */
bool host_is_loopback(const char *host)
{
	size_t len = strcspn(host, *host == '[' ? "]" : ":");
	char name[64];
	struct in6_addr six;
	struct in_addr four;
	bool bracket = *host == '[' && host[len] == ']';
	const char *rest = host + len + bracket;

	if (len >= sizeof(name) || (*rest && *rest != ':'))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - bracket), host + bracket);
	if (bracket)
		return inet_pton(AF_INET6, name, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
	return strcasecmp(name, "localhost") == 0 ||
	       (inet_pton(AF_INET, name, &four) == 1 && ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET);
}

char *url_escape(const char *text)
{
	char *made = curl_easy_escape(NULL, text, 0);
	char *copy = xstrdup(made ? made : "");

	curl_free(made);
	return copy;
}

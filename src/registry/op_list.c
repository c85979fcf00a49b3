/* src/registry/op_list.c - tags, referrers, search, and whether we may come in at all. */
#include <string.h>

#include "base/alloc.h"
#include "registry/op.h"

#define LIST_BODY_MAX (4U << 20)
#define ITEMS_MAX     100000
#define PAGES_MAX     1000
#define HUB_SEARCH    "https://index.docker.io/v1/search"

static int get_json(struct op *op, struct endpoint *e, struct call *c, struct http_response *answer,
		    json_t **ret, struct error *err)
{
	int r;

	c->body_max = LIST_BODY_MAX;
	r = session_call(op->session, e, c, answer, err);
	if (r == 0)
		r = op_expect(e, answer, 200, 200, err);
	if (r == 0)
		r = json_load_bytes(buf_text(&answer->body), answer->body.len, e->host, ret, err);
	if (r == 0 && !json_is_object(*ret))
		r = error_set(err, -EBADMSG, "%s: the answer is no object", e->host);
	return r;
}

/* The next page's URL, or NULL; a list that leads elsewhere ends there. */
static char *next_page(const struct endpoint *e, const struct http_response *answer)
{
	const char *link = http_header(answer, "link");
	autofree char *target = link ? header_link_next(link) : NULL;
	autofree char *base = xasprintf("%s://%s/", e->scheme ? e->scheme : "https", e->address);
	char *url = target ? session_location(e, target) : NULL;

	if (url && url_same_origin(base, url))
		return url;
	free(url);
	return NULL;
}

struct pages {
	struct endpoint *e;
	const char *path, *key; /* what is a list in each page */
	const char *extra_scope;
	json_t *items;
};

/* All pages of a list, joined. */
static int read_pages(struct op *op, struct pages *p, struct error *err)
{
	autofree char *url = NULL;

	for (unsigned page = 0; page < PAGES_MAX; page++) {
		cleanup(http_response_done) struct http_response answer = { .status = 0 };
		cleanup(json_cleanup) json_t *doc = NULL;
		struct call c = CALL_INIT;
		json_t *list;
		int r;

		c.path = p->path;
		c.url = url;
		c.extra_scope = p->extra_scope;
		r = get_json(op, p->e, &c, &answer, &doc, err);
		if (r < 0)
			return r;
		list = json_object_get(doc, p->key);
		if (json_is_array(list))
			(void)json_array_extend(p->items, list);
		free(url);
		url = next_page(p->e, &answer);
		if (!url || json_array_size(list) == 0 || json_array_size(p->items) > ITEMS_MAX)
			return 0;
	}
	return 0;
}

static int try_tags(struct op *op, struct endpoint *e, void *data, struct error *err)
{
	autofree char *path = xasprintf("%s/tags/list?n=1000", e->repo);
	struct pages p = { .e = e, .path = path, .key = "tags", .items = data };

	(void)json_array_clear(p.items);
	return read_pages(op, &p, err);
}

int op_tags(struct op *op, struct error *err)
{
	json_t *tags = json_array();
	int r = op_each_place(op, false, try_tags, tags, err);

	(void)json_object_set_new(op->answer, "tags", tags);
	return r;
}

/* referrers */

static void answer_with(struct op *op, const json_t *manifests, bool fallback)
{
	(void)json_object_set(op->answer, "manifests", (json_t *)(uintptr_t)manifests);
	(void)json_object_set_new(op->answer, "fallback", json_boolean(fallback));
}

/* Registries of before distribution-spec 1.1 keep the list under a tag made of the digest. */
static int by_tag(struct op *op, struct endpoint *e, const char *digest, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	cleanup(json_cleanup) json_t *doc = NULL, *none = json_array();
	autofree char *tag = xstrdup(digest), *path = NULL;
	struct call c = CALL_INIT;
	const json_t *list;
	int r;

	tag[strcspn(tag, ":")] = '-';
	path = xasprintf("%s/manifests/%s", e->repo, tag);
	c.path = path;
	c.accept = "application/vnd.oci.image.index.v1+json";
	r = get_json(op, e, &c, &answer, &doc, err);
	if (r < 0 && r != -ENOENT)
		return r;
	list = json_object_get(doc, "manifests");
	answer_with(op, json_is_array(list) ? list : none, true);
	return 0;
}

int op_referrers(struct op *op, struct error *err)
{
	const char *digest = json_need_string(&op->rd, op->request->doc, "digest");
	const char *type = json_read_string(&op->rd, op->request->doc, "artifactType", NULL);
	autofree char *filter = type ? url_escape(type) : NULL, *path = NULL;
	cleanup(json_cleanup) json_t *items = json_array();
	struct endpoint *e = op_target(op);
	struct pages p = { .e = e, .key = "manifests", .items = items };
	int r;

	if (!e || op->rd.r < 0)
		return error_set(err, -EINVAL, "the request names no manifest");
	path = xasprintf("%s/referrers/%s%s%s", e->repo, digest, filter ? "?artifactType=" : "",
			 filter ? filter : "");
	p.path = path;
	r = read_pages(op, &p, err);
	if (r == -ENOENT || r == -EOPNOTSUPP || r == -EPROTO)
		return by_tag(op, e, digest, err);
	if (r == 0)
		answer_with(op, items, false);
	return r;
}

/* search */

static bool takes(const char *name, const char *term)
{
	return strcasestr(name, term) != NULL;
}

/* What has no search has a catalogue, perhaps. */
static int by_catalog(struct op *op, struct endpoint *e, const char *term, json_t *results,
		      struct error *err)
{
	cleanup(json_cleanup) json_t *names = json_array();
	struct pages p = { .e = e,
			   .path = "_catalog?n=1000",
			   .key = "repositories",
			   .extra_scope = "registry:catalog:*",
			   .items = names };
	json_t *item;
	size_t i;
	int r = read_pages(op, &p, err);

	json_array_foreach (names, i, item) {
		const char *name = json_string_value(item);

		if (r == 0 && name && takes(name, term))
			(void)json_array_append_new(results, json_pack("{s:s}", "name", name));
	}
	return r;
}

int op_search(struct op *op, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	const char *term = json_need_string(&op->rd, op->request->doc, "term");
	int64_t limit = json_read_int(&op->rd, op->request->doc, "limit", 1, 1000, 25);
	autofree char *escaped = url_escape(term), *url = NULL;
	cleanup(json_cleanup) json_t *doc = NULL;
	struct endpoint *e = op_target(op);
	json_t *results = json_array();
	struct call c = CALL_INIT;
	int r;

	(void)json_object_set_new(op->answer, "results", results);
	if (!e || op->rd.r < 0)
		return error_set(err, -EINVAL, "the request is no search");
	if (strcmp(e->host, "docker.io") != 0)
		return by_catalog(op, e, term, results, err);
	url = xasprintf("%s?q=%s&n=%lld", HUB_SEARCH, escaped, (long long)limit);
	c.url = url;
	r = get_json(op, e, &c, &answer, &doc, err);
	if (r == 0 && json_is_array(json_object_get(doc, "results")))
		(void)json_array_extend(results, json_object_get(doc, "results"));
	return r;
}

int op_ping(struct op *op, struct error *err)
{
	cleanup(http_response_done) struct http_response answer = { .status = 0 };
	struct endpoint *e = op_target(op);
	struct call c = CALL_INIT;
	int r;

	if (!e)
		return error_set(err, -EINVAL, "the request names no registry");
	/* Only a login asks so, with what was typed for it. */
	if (credentials_given(&e->credentials)) {
		free(e->credentials.from);
		e->credentials.from = xstrdup("this login");
	}
	c.path = "";
	r = session_call(op->session, e, &c, &answer, err);
	return r < 0 ? r : op_expect(e, &answer, 200, 200, err);
}

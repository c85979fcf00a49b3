/* src/network/dns_records.c - one hash table with three kinds of keys, all of them pointing into
 * the line that brought them.
 */
#include "network/dns_records.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

#define BUCKETS_MIN 64

enum key_kind { KEY_NAME, KEY_ADDRESS, KEY_CONTAINER };

struct node {
	struct node *next; /* in its bucket */
	const char *key;
	struct entry *entry;
	uint32_t hash;
	enum key_kind kind;
};

struct entry {
	struct dns_endpoint endpoint;
	struct entry *next, **link; /* of all */
	char *text;                 /* what the fields point into; owned */
	size_t nnodes;
	struct node nodes[];
};

struct dns_records {
	struct node **buckets;
	size_t nbuckets, nnodes; /* nbuckets is a power of 2 */
	struct entry *entries;
	size_t nentries;
};

/* the table */

static uint32_t hash_of(enum key_kind kind, const char *key)
{
	uint32_t h = 2166136261U + kind;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619U;
	return h ^ h >> 15;
}

static struct node **bucket(const struct dns_records *r, uint32_t hash)
{
	return &r->buckets[hash & (r->nbuckets - 1)];
}

static void grow(struct dns_records *r)
{
	struct node **old = r->buckets;
	size_t nold = r->nbuckets;

	r->nbuckets = nold * 2;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	r->buckets = xcalloc(r->nbuckets, sizeof(*r->buckets));
	for (size_t i = 0; i < nold; i++) {
		for (struct node *n = old[i], *next; n; n = next) {
			struct node **at = bucket(r, n->hash);

			next = n->next;
			n->next = *at;
			*at = n;
		}
	}
	free(old);
}

static void node_link(struct dns_records *r, struct entry *e, enum key_kind kind, const char *key)
{
	struct node *n = &e->nodes[e->nnodes++], **at;

	if (r->nnodes >= r->nbuckets)
		grow(r);
	*n = (struct node) { .key = key, .entry = e, .kind = kind, .hash = hash_of(kind, key) };
	at = bucket(r, n->hash);
	n->next = *at;
	*at = n;
	r->nnodes++;
}

static void node_unlink(struct dns_records *r, const struct node *n)
{
	struct node **at = bucket(r, n->hash);

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	r->nnodes--;
}

/* The next one with this key behind from, or the first. */
static struct node *node_next(const struct dns_records *r, const struct node *from,
			      enum key_kind kind, const char *key)
{
	uint32_t hash = from ? from->hash : hash_of(kind, key);
	struct node *n = from ? from->next : *bucket(r, hash);

	while (n && (n->hash != hash || n->kind != kind || strcmp(n->key, key) != 0))
		n = n->next;
	return n;
}

/* entries */

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	free(e->text);
	free(e);
}

/* An alias that is the name: its addresses are told once. */
static bool is_before(const char *list, const char *item)
{
	for (const char *p = list; p < item; p += strlen(p) + 1)
		if (strcmp(p, item) == 0)
			return true;
	return false;
}

static void link_list(struct dns_records *r, struct entry *e, enum key_kind kind, const char *list)
{
	for (const char *p = list; *p; p += strlen(p) + 1)
		if (!is_before(list, p))
			node_link(r, e, kind, p);
}

static void entry_link(struct dns_records *r, struct entry *e)
{
	link_list(r, e, KEY_NAME, e->endpoint.names);
	link_list(r, e, KEY_ADDRESS, e->endpoint.addresses);
	node_link(r, e, KEY_CONTAINER, e->endpoint.container);
	e->next = r->entries;
	e->link = &r->entries;
	if (e->next)
		e->next->link = &e->next;
	r->entries = e;
	r->nentries++;
}

static void entry_remove(struct dns_records *r, struct entry *e)
{
	for (size_t i = 0; i < e->nnodes; i++)
		node_unlink(r, &e->nodes[i]);
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	r->nentries--;
	entry_free(e);
}

struct dns_records *dns_records_new(void)
{
	struct dns_records *r = xnew(struct dns_records);

	r->nbuckets = BUCKETS_MIN;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	r->buckets = xcalloc(r->nbuckets, sizeof(*r->buckets));
	return r;
}

static void forget_all(struct dns_records *r)
{
	struct entry *next;

	for (struct entry *e = r->entries; e; e = next) {
		next = e->next;
		entry_remove(r, e);
	}
}

void dns_records_free(struct dns_records *r)
{
	if (!r)
		return;
	forget_all(r);
	free(r->buckets);
	free(r);
}

static void forget_container(struct dns_records *r, const char *id)
{
	struct node *n;

	while ((n = node_next(r, NULL, KEY_CONTAINER, id)))
		entry_remove(r, n->entry);
}

/* reading a change */

static bool is_word(const char *text)
{
	size_t len = strlen(text);

	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.+-", *p))
			return false;
	return len > 0 && len < 254;
}

/* In its one spelling, which is never longer than another of the same address but for IPv4 in
 * IPv6; those are refused.
 */
static bool take_address(char *text)
{
	unsigned char bytes[16];
	char again[INET6_ADDRSTRLEN];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, bytes) != 1 ||
	    !inet_ntop(family, bytes, again, sizeof(again)) || strlen(again) > strlen(text))
		return false;
	memcpy(text, again, strlen(again) + 1);
	return true;
}

static bool take_name(char *text)
{
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return is_word(text) && text[0] != '.' && text[0] != '-';
}

/* The fields are copied behind one another, each list with an empty text at its end. */
static bool put_list(char **to, char *field, bool (*take)(char *text), const char **ret,
		     size_t *count)
{
	char *rest = strcmp(field, "-") == 0 ? NULL : field, *item;
	size_t n = 0;

	*ret = *to;
	while ((item = strsep(&rest, ","))) {
		size_t size;

		if (++n > DNS_LIST_MAX || !take(item))
			return false;
		size = strlen(item) + 1;
		memcpy(*to, item, size);
		*to += size;
	}
	*(*to)++ = '\0';
	*count += n;
	return true;
}

static bool put_word(char **to, const char *field, const char **ret)
{
	size_t size = strlen(field) + 1;

	*ret = *to;
	memcpy(*to, field, size);
	*to += size;
	return is_word(field);
}

/* line is taken apart. */
static struct entry *entry_parse(char *line)
{
	char *text = xmalloc(strlen(line) + 8), *to = text, *field[5], *rest = line;
	struct dns_endpoint e = { .network = NULL };
	size_t nkeys = 1, nservers = 0;
	struct entry *entry;
	bool ok = true;

	for (size_t i = 0; ok && i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&rest, " ");
		ok = field[i] != NULL;
	}
	if (!ok || rest || !put_word(&to, field[0], &e.network) ||
	    !put_word(&to, field[1], &e.container) ||
	    !put_list(&to, field[2], take_address, &e.addresses, &nkeys) ||
	    !put_list(&to, field[3], take_name, &e.names, &nkeys) ||
	    !put_list(&to, field[4], take_address, &e.servers, &nservers)) {
		free(text);
		return NULL;
	}
	entry = xcalloc(1, sizeof(*entry) + nkeys * sizeof(entry->nodes[0]));
	entry->endpoint = e;
	entry->text = text;
	return entry;
}

struct change {
	struct entry **add;
	char **del; /* point into the text */
	size_t nadd, add_room, ndel, del_room;
	bool replace, ended;
};

static void change_done(struct change *change)
{
	for (size_t i = 0; i < change->nadd; i++)
		entry_free(change->add[i]);
	free(change->add);
	free(change->del);
}

static bool change_line(struct change *change, char *line)
{
	if (change->ended)
		return false;
	if (strcmp(line, "end") == 0) {
		change->ended = true;
	} else if (strcmp(line, "replace") == 0) {
		change->replace = true;
	} else if (strncmp(line, "del ", 4) == 0 && is_word(line + 4)) {
		VEC_GROW(change->del, change->ndel, change->del_room);
		change->del[change->ndel++] = line + 4;
	} else if (strncmp(line, "add ", 4) == 0 && change->nadd < DNS_ENDPOINTS_MAX) {
		struct entry *e = entry_parse(line + 4);

		if (!e)
			return false;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
		VEC_GROW(change->add, change->nadd, change->add_room);
		change->add[change->nadd++] = e;
	} else {
		return false;
	}
	return true;
}

/* Additions come last whatever the order of the lines: "del" makes room for them. */
static int change_apply(struct dns_records *r, struct change *change, struct error *err)
{
	size_t before = change->replace ? 0 : r->nentries;

	if (before + change->nadd > DNS_ENDPOINTS_MAX)
		return error_set(err, -EBADMSG, "more than %d names of containers",
				 DNS_ENDPOINTS_MAX);
	if (change->replace)
		forget_all(r);
	for (size_t i = 0; i < change->ndel; i++)
		forget_container(r, change->del[i]);
	for (size_t i = 0; i < change->nadd; i++)
		entry_link(r, change->add[i]);
	change->nadd = 0;
	return 0;
}

int dns_records_apply(struct dns_records *r, const char *text, size_t len, struct error *err)
{
	struct change change = { .nadd = 0 };
	autofree char *copy = NULL;
	char *rest, *line;
	unsigned number = 0;
	int result = 0;

	if (len > DNS_UPDATE_MAX || memchr(text, '\0', len))
		return error_set(err, -EBADMSG, "a change of names that is no text");
	copy = xstrndup(text, len);
	rest = copy;
	while (result == 0 && (line = strsep(&rest, "\n")) && (*line || rest)) {
		number++;
		if (!change_line(&change, line))
			result = error_set(err, -EBADMSG, "line %u of a change of names is none",
					   number);
	}
	if (result == 0 && !change.ended)
		result = error_set(err, -EBADMSG, "a change of names has no end");
	if (result == 0)
		result = change_apply(r, &change, err);
	change_done(&change);
	return result;
}

/* views */

size_t dns_records_count(const struct dns_records *r, const char *network)
{
	size_t n = 0;

	for (const struct entry *e = r->entries; e; e = e->next)
		n += strcmp(e->endpoint.network, network) == 0;
	return n;
}

struct dns_view dns_view_of(const struct dns_records *r, const char *network, const char *address)
{
	struct dns_view view = { .records = r, .network = network };

	for (struct node *n = NULL; (n = node_next(r, n, KEY_ADDRESS, address));)
		if (strcmp(n->entry->endpoint.network, network) == 0)
			view.client = &n->entry->endpoint;
	return view;
}

static bool sees(const struct dns_view *view, const char *network)
{
	if (strcmp(view->network, network) == 0)
		return true;
	if (!view->client)
		return false;
	for (struct node *n = NULL;
	     (n = node_next(view->records, n, KEY_CONTAINER, view->client->container));)
		if (strcmp(n->entry->endpoint.network, network) == 0)
			return true;
	return false;
}

size_t dns_view_name(const struct dns_view *view, const char *name, const char *only,
		     dns_endpoint_fn each, void *data)
{
	size_t count = 0;

	for (struct node *n = NULL; (n = node_next(view->records, n, KEY_NAME, name));) {
		const struct dns_endpoint *e = &n->entry->endpoint;

		if ((only && strcmp(only, e->network) != 0) || !sees(view, e->network))
			continue;
		each(data, e);
		count++;
	}
	return count;
}

const struct dns_endpoint *dns_view_address(const struct dns_view *view, const char *address)
{
	for (struct node *n = NULL; (n = node_next(view->records, n, KEY_ADDRESS, address));)
		if (sees(view, n->entry->endpoint.network))
			return &n->entry->endpoint;
	return NULL;
}

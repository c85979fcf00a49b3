/* src/network/member.c */
#include "network/member.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"

void members_done(struct members *members)
{
	for (size_t i = 0; i < members->n; i++) {
		free(members->items[i].name);
		strv_done(&members->items[i].aliases);
	}
	free(members->items);
	*members = (struct members) { 0 };
}

static struct member *member_new(struct members *v)
{
	VEC_GROW(v->items, v->n, v->room);
	v->items[v->n] = (struct member) { .name = NULL };
	return &v->items[v->n++];
}

/* Rows are sorted by container. */
static struct member *member_of(struct members *v, const char *id, size_t *at)
{
	while (*at < v->n && strcmp(v->items[*at].id, id) < 0)
		(*at)++;
	return *at < v->n && strcmp(v->items[*at].id, id) == 0 ? &v->items[*at] : NULL;
}

static int add_containers(struct db *db, int64_t network, struct members *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT l.container, coalesce(c.name, k.container), l.mac, l.link"
			 " FROM leases l LEFT JOIN containers c ON c.id = l.container"
			 " LEFT JOIN cni k ON k.lease = l.container WHERE l.network = ?1"
			 " ORDER BY l.container",
			 "i", network);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct member *m = member_new(ret);

		(void)snprintf(m->id, sizeof(m->id), "%s", db_text(&rows, 0));
		m->name = xstrdup_or_null(db_text(&rows, 1));
		(void)snprintf(m->mac, sizeof(m->mac), "%s", db_text(&rows, 2));
		(void)snprintf(m->link, sizeof(m->link), "%s", db_text(&rows, 3));
	}
	return db_finish(&rows);
}

static int add_addresses(struct db *db, int64_t network, struct members *ret, struct error *err)
{
	size_t at = 0;
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT container, address FROM addresses WHERE network = ?1"
			 " ORDER BY container",
			 "i", network);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct member *m = member_of(ret, db_text(&rows, 0), &at);
		struct ip ip;

		if (!m || ip_parse(db_text(&rows, 1), &ip) < 0)
			continue;
		if (ip.family == AF_INET)
			m->ip = ip;
		else
			m->ip6 = ip;
	}
	return db_finish(&rows);
}

static int add_aliases(struct db *db, int64_t network, struct members *ret, struct error *err)
{
	size_t at = 0;
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT container, name FROM aliases WHERE network = ?1"
			 " ORDER BY container",
			 "i", network);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct member *m = member_of(ret, db_text(&rows, 0), &at);

		if (m)
			strv_add(&m->aliases, db_text(&rows, 1));
	}
	return db_finish(&rows);
}

int members_list(struct db *db, int64_t network, struct members *ret, struct error *err)
{
	int r = add_containers(db, network, ret, err);

	if (r == 0)
		r = add_addresses(db, network, ret, err);
	return r < 0 ? r : add_aliases(db, network, ret, err);
}

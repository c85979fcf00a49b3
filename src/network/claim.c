/* src/network/claim.c */
#include "network/claim.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/id.h"
#include "network/holder.h"

#define EPHEMERAL_FROM 32768 /* where host ports are chosen that the user left open */
#define EPHEMERAL_TO   60999

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill_address(uint8_t family, const struct ip *ip, uint16_t number,
			      union address *ret)
{
	*ret = (union address) { .any.sa_family = family };
	if (family == AF_INET) {
		ret->v4.sin_port = htons(number);
		memcpy(&ret->v4.sin_addr, ip->bytes, sizeof(ret->v4.sin_addr));
		return sizeof(ret->v4);
	}
	ret->v6.sin6_port = htons(number);
	memcpy(&ret->v6.sin6_addr, ip->bytes, sizeof(ret->v6.sin6_addr));
	return sizeof(ret->v6);
}

/* A foreign listener would be covered by our rule, or cover it: neither is what was asked for. */
static int is_bound(const struct port *port, uint8_t family, uint16_t number)
{
	int type = port->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	autoclose int fd = socket(family, type | SOCK_CLOEXEC, port->protocol);
	union address address;
	socklen_t len = fill_address(family, &port->ip, number, &address);
	int on = 1;

	if (fd < 0)
		return 0; /* no such protocol here, no listener */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, &address.any, len) == 0 ? 0 : -errno;
}

static int check_number(const struct port *p, uint16_t number, struct error *err)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	autofree char *text = port_format(p);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		char holder[80];
		int r = p->ip.family && p->ip.family != families[i]
				? 0
				: is_bound(p, families[i], number);

		if (r == -EADDRNOTAVAIL && ip_is_set(&p->ip))
			return error_set(err, r, "port %s: this host has no such address", text);
		if (r != -EADDRINUSE)
			continue;
		if (!err)
			return r;
		holder_name(p, number, holder, sizeof(holder));
		return error_set(
			err, r,
			"port %u of %s is taken by %s; stop that, or choose another host port",
			number, text, holder[0] ? holder : "a program on this host");
	}
	return 0;
}

/* The container that has one of these ports, or "". */
static int owner(struct db *db, const struct port *p, const char *id, char ret[128],
		 bool *ret_is_own, struct error *err)
{
	char ip[IP_TEXT_LEN];
	struct db_rows rows;
	int r;

	ip_format(&p->ip, ip);
	r = db_query(
		db, &rows, err, /* those that begin in the range, and those that reach into it */
		"SELECT coalesce(c.name, k.container, p.container), p.container = ?6 FROM"
		" (SELECT * FROM ports WHERE protocol = ?1 AND host >= ?2 AND host < ?2 + ?3"
		" UNION ALL SELECT * FROM ports WHERE protocol = ?1 AND count > 1 AND host < ?2"
		" AND ?2 < host + count) p"
		" LEFT JOIN containers c ON c.id = p.container"
		" LEFT JOIN cni k ON k.lease = p.container"
		" WHERE p.family = 0 OR ?5 = 0 OR (p.family = ?5"
		" AND (p.ip = ?4 OR p.ip IN ('0.0.0.0', '::') OR ?4 IN ('0.0.0.0', '::')))"
		" LIMIT 1",
		"iiisis", (int64_t)p->protocol, (int64_t)p->host, (int64_t)p->count, ip,
		(int64_t)p->ip.family, id);
	ret[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(ret, 128, "%s", db_text(&rows, 0));
		*ret_is_own = db_int(&rows, 1) != 0;
	}
	return db_finish(&rows);
}

static int check(struct db *db, const char *id, const struct port *p, struct error *err)
{
	autofree char *text = port_format(p);
	bool is_own = false;
	char name[128];
	int r = owner(db, p, id, name, &is_own, err);

	if (r < 0)
		return r;
	if (name[0] && is_own)
		return error_set(err, -EADDRINUSE,
				 "port %s: its host port is given twice; --publish can have it for "
				 "one port of the container",
				 text);
	if (name[0])
		return error_set(err, -EADDRINUSE, "port %s is published by container %s", text,
				 name);
	for (unsigned i = 0; r == 0 && i < p->count; i++)
		r = check_number(p, (uint16_t)(p->host + i), err);
	return r;
}

static int choose(struct db *db, const char *id, struct port *p, struct error *err)
{
	unsigned room = EPHEMERAL_TO - EPHEMERAL_FROM, start = 0;

	/* From anywhere on: what was given back is not given again at once. */
	ignore_result(random_bytes(&start, sizeof(start)));
	if (p->count > room)
		return error_set(err, -EINVAL, "a range of %u ports has no free place", p->count);
	room -= p->count;
	start %= room + 1;
	for (unsigned i = 0; i <= room; i++) {
		int r;

		p->host = (uint16_t)(EPHEMERAL_FROM + (start + i) % (room + 1));
		r = check(db, id, p, NULL);
		if (r == 0)
			return 0;
		if (r != -EADDRINUSE)
			return check(db, id, p, err);
	}
	return error_set(err, -EADDRINUSE, "no free port on this host to publish port %u",
			 p->container);
}

int claim_port(struct db *db, const char *id, struct port *p, struct error *err)
{
	int r = p->host ? check(db, id, p, err) : choose(db, id, p, err);
	char ip[IP_TEXT_LEN];

	if (r < 0)
		return r;
	ip_format(&p->ip, ip);
	return db_run(db, err,
		      "INSERT INTO ports (family, ip, protocol, host, count, target, container)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		      "isiiiis", (int64_t)p->ip.family, ip, (int64_t)p->protocol, (int64_t)p->host,
		      (int64_t)p->count, (int64_t)p->container, id);
}

int claim_list(struct db *db, const char *id, struct port **ret, size_t *ret_n, struct error *err)
{
	autofree struct port *list = NULL;
	size_t n = 0, room = 0;
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT ip, protocol, host, count, target FROM ports WHERE container = ?1"
			 " ORDER BY rowid",
			 "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct port port = { .protocol = (uint8_t)db_int(&rows, 1),
				     .host = (uint16_t)db_int(&rows, 2),
				     .count = (uint16_t)db_int(&rows, 3),
				     .container = (uint16_t)db_int(&rows, 4) };

		if (db_text(&rows, 0)[0] && ip_parse(db_text(&rows, 0), &port.ip) < 0)
			continue;
		VEC_GROW(list, n, room);
		list[n++] = port;
	}
	r = db_finish(&rows);
	if (r < 0)
		return r;
	*ret = steal_ptr(&list);
	*ret_n = n;
	return 0;
}

int claim_drop(struct db *db, const char *id, struct error *err)
{
	return db_run(db, err, "DELETE FROM ports WHERE container = ?1", "s", id);
}

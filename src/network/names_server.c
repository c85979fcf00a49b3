/* src/network/names_server.c */
#include "network/names_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/daemon.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/number.h"
#include "base/socket.h"
#include "base/strv.h"
#include "network/attach.h"
#include "network/foreign.h"
#include "network/network.h"
#include "network/port.h"
#include "network/table.h"

#define PROGRAM       "strake-dns"
#define PLACE         "networks" /* below run_root */
#define SOCKET        "names"
#define PORT_FILE     "port"
#define DNS_PORT      53
#define GATEWAYS_MAX  7
#define PORT_TRIES    32
#define UPDATE_MAX    (16U << 20) /* as dns_records.h */
#define ANSWER_WITHIN 5           /* seconds; it does nothing that takes longer than one */

/* One command at a time reads the database and tells the resolvers. */
static int lock(const struct network_site *site, int *ret, struct error *err)
{
	autofree char *dir = xasprintf("%s/" PLACE, site->run_root);
	autoclose int fd = -1;
	int r = dir_ensure_at(AT_FDCWD, dir, 0711, &fd, err);

	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) < 0)
		return error_sys(err, -errno, "lock %s", dir);
	*ret = steal_fd(&fd);
	return 0;
}

/* what it is told */

/* By container: a network has many. */
#define RECORDS                                                                                    \
	"SELECT n.name, l.container, coalesce(c.name, ''), s.servers,"                             \
	" (SELECT group_concat(address) FROM addresses a"                                          \
	"  WHERE +a.network = l.network AND a.container = l.container),"                           \
	" (SELECT group_concat(name) FROM aliases a"                                               \
	"  WHERE +a.network = l.network AND a.container = l.container)"                            \
	" FROM leases l JOIN networks n ON n.id = l.network"                                       \
	" LEFT JOIN containers c ON c.id = l.container"                                            \
	" LEFT JOIN name_servers s ON s.container = l.container"

enum scope {
	SCOPE_ALL,
	SCOPE_CONTAINER,
	SCOPE_NEIGHBOURS, /* it and all that are in its networks */
};

/* is_change: in the place of what is known of these containers. */
static int add_records(struct db *db, enum scope scope, const char *id, bool is_change,
		       struct buf *text, struct error *err)
{
	static const char *const queries[] = {
		[SCOPE_ALL] = RECORDS,
		[SCOPE_CONTAINER] = RECORDS " WHERE l.container = ?1",
		[SCOPE_NEIGHBOURS] =
			RECORDS " WHERE l.container IN (SELECT container FROM leases WHERE network"
				" IN (SELECT network FROM leases WHERE container = ?1))",
	};
	struct db_rows rows;
	int r = db_query(db, &rows, err, queries[scope], scope == SCOPE_ALL ? "" : "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		const char *name = db_text(&rows, 2), *servers = db_text(&rows, 3);
		const char *addresses = db_text(&rows, 4), *aliases = db_text(&rows, 5);

		if (is_change)
			buf_addf(text, "del %s\n", db_text(&rows, 1));
		buf_addf(text, "add %s %s %s ", db_text(&rows, 0), db_text(&rows, 1),
			 addresses ? addresses : "-");
		buf_addf(text, "%s%s%.12s", name, *name ? "," : "", db_text(&rows, 1));
		buf_addf(text, "%s%s", aliases ? "," : "", aliases ? aliases : "");
		buf_addf(text, " %s\n", servers ? servers : "-");
	}
	return db_finish(&rows);
}

static int end_records(struct buf *text, struct error *err)
{
	int r;

	buf_add_str(text, "end\n");
	r = buf_result(text);
	return r < 0 ? error_set(err, r, "more names of containers than strake-dns takes") : 0;
}

static int not_told(int r, const char *network, struct error *err)
{
	return error_sys(err, r, "tell strake-dns of network %s about names", network);
}

/* Says it, without waiting for the answer.  -ECONNREFUSED, -ENOENT: nobody is there. */
static int say(int place, const char *network, const struct buf *text, int *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/" SOCKET, network);
	const struct timeval within = { .tv_sec = ANSWER_WITHIN };
	autoclose int sock = -1;
	int r = socket_connect_at(place, path, SOCK_STREAM, &sock, NULL);

	if (r < 0)
		return r;
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof(within));
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &within, sizeof(within));
	for (size_t at = 0; r == 0 && at < text->len;) {
		ssize_t n = send(sock, text->data + at, text->len - at, MSG_NOSIGNAL);

		if (n < 0)
			r = -errno;
		else
			at += (size_t)n;
	}
	if (r == 0 && shutdown(sock, SHUT_WR) < 0)
		r = -errno;
	if (r < 0)
		return not_told(r, network, err);
	*ret = steal_fd(&sock);
	return 0;
}

static int hear(int sock, const char *network, struct error *err)
{
	struct error said = { 0 };
	int r = error_receive(sock, &said);

	if (r < 0)
		return not_told(r, network, err);
	if (said.code < 0 && err)
		*err = said;
	return said.code;
}

static int tell(int place, const char *network, const struct buf *text, struct error *err)
{
	autoclose int sock = -1;
	int r = say(place, network, text, &sock, err);

	return r < 0 ? r : hear(sock, network, err);
}

static bool is_running(int place, const char *network)
{
	autofree char *path = xasprintf("%s/" SOCKET, network);
	autoclose int sock = -1;

	return socket_connect_at(place, path, SOCK_STREAM, &sock, NULL) == 0;
}

/* where it answers */

struct sockets {
	struct strv gateways;
	int fds[2 * GATEWAYS_MAX]; /* datagrams and connections in turn */
	size_t n;
	uint16_t port;
};

static void sockets_close(struct sockets *s)
{
	for (size_t i = 0; i < s->n; i++)
		(void)close(s->fds[i]);
	s->n = 0;
}

static int bind_one(const struct ip *ip, int type, struct sockets *s)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	bool is4 = ip->family == AF_INET;
	const struct sockaddr *at = is4 ? (const void *)&four : (const void *)&six;
	socklen_t len = is4 ? sizeof(four) : sizeof(six);
	struct sockaddr_in6 bound;
	socklen_t room = sizeof(bound);
	int fd = socket(ip->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -errno;
	s->fds[s->n++] = fd;
	if (is4)
		memcpy(&four.sin_addr, ip->bytes, 4);
	else
		memcpy(&six.sin6_addr, ip->bytes, 16);
	/* After one that was killed its connections are remembered for a minute. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0) ||
	    getsockname(fd, (struct sockaddr *)&bound, &room) < 0)
		return -errno;
	s->port = ntohs(bound.sin6_port); /* at the same place in both families */
	return 0;
}

static int bind_all(const struct network *network, struct sockets *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < network->nsubnets; i++) {
		const struct ip *ip = &network->subnets[i].gateway;

		if (!ip_is_set(ip) || s->n / 2 == GATEWAYS_MAX)
			continue;
		r = bind_one(ip, SOCK_DGRAM, s);
		if (r == 0)
			r = bind_one(ip, SOCK_STREAM, s);
	}
	return r;
}

/* One port for all addresses, the one that it had if that is free. */
static int open_sockets(const struct network *network, uint16_t port, struct sockets *s)
{
	int r = -EADDRINUSE;

	for (unsigned i = 0; i < PORT_TRIES && r == -EADDRINUSE; i++) {
		sockets_close(s);
		s->port = i == 0 ? port : 0;
		r = bind_all(network, s);
	}
	return r;
}

uint16_t names_server_port(const struct network_site *site, const struct network *network)
{
	autofree char *path =
		xasprintf("%s/" PLACE "/%s/" PORT_FILE, site->run_root, network->name);
	autofree char *text = NULL;
	uint64_t port = 0;

	if (file_read_at(AT_FDCWD, path, 16, &text, NULL, NULL) < 0 ||
	    number_parse(text, UINT16_MAX, &port) < 0)
		return 0;
	return (uint16_t)port;
}

static void collect(const struct network *network, uint16_t port, struct table_elements *ret)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (size_t i = 0; port && i < network->nsubnets; i++) {
		const struct ip *ip = &network->subnets[i].gateway;
		const struct table_target to4 = { .to4 = *ip }, to6 = { .to6 = *ip };

		for (size_t k = 0; ip_is_set(ip) && k < ARRAY_SIZE(protocols); k++) {
			const struct port p = { .ip = *ip,
						.host = DNS_PORT,
						.container = port,
						.count = 1,
						.protocol = protocols[k] };

			table_collect_port(ret, &p, ip->family == AF_INET ? &to4 : &to6, "names");
		}
	}
}

void names_server_collect(const struct network_site *site, const struct network *network,
			  struct table_elements *ret)
{
	collect(network, names_server_port(site, network), ret);
}

/* Both ports may be the same, and their elements there or not. */
static int move_port(const struct network_site *site, const struct network *network, uint16_t from,
		     uint16_t to, struct error *err)
{
	struct table_elements before = { 0 }, after = { 0 };
	char table[NETWORK_TABLE_LEN];
	int r = network_table(site->db, table, err);

	collect(network, from, &before);
	collect(network, to, &after);
	if (r == 0 && from && from != to)
		r = table_remove(table, &before, err);
	if (r == 0 && to)
		r = table_extend(table, &after, err);
	table_elements_done(&before);
	table_elements_done(&after);
	return r;
}

/* start */

static int records_file(const struct network_site *site, int *ret, struct error *err)
{
	struct buf text = BUF_INIT(UPDATE_MAX);
	int fd = -1, r = add_records(site->db, SCOPE_ALL, NULL, false, &text, err);

	if (r == 0)
		r = end_records(&text, err);
	if (r == 0) {
		fd = memfd_create("names", MFD_CLOEXEC);
		r = fd < 0 ? -errno : file_write_all(fd, text.data, text.len);
		if (r < 0)
			(void)error_sys(err, r, "hand over the names of containers");
	}
	buf_done(&text);
	*ret = fd;
	return r;
}

static void add_args(const struct network *network, struct strv *args)
{
	strv_add(args, PROGRAM);
	strv_addf(args, "--network=%s", network->name);
	for (size_t i = 0; i < network->nsubnets; i++) {
		char text[IP_NET_TEXT_LEN];

		ip_net_format(&network->subnets[i].net, text);
		strv_addf(args, "--subnet=%s", text);
		if (!ip_is_set(&network->subnets[i].gateway))
			continue;
		ip_format(&network->subnets[i].gateway, text);
		strv_addf(args, "--gateway=%s", text);
	}
	for (size_t i = 0; i < network->dns.n; i++)
		strv_addf(args, "--dns=%s", network->dns.items[i]);
	if (network->internal)
		strv_add(args, "--internal");
}

static int run(const struct network_site *site, const struct network *network, int dir,
	       const struct sockets *s, struct error *err)
{
	autofree char *program = xasprintf("%s/" PROGRAM, site->libexec);
	struct daemon_fd fds[2 * GATEWAYS_MAX + 2];
	autoclose int control = -1, records = -1;
	struct strv args = { 0 };
	int r;

	(void)unlinkat(dir, SOCKET, 0);
	r = socket_listen_at(dir, SOCKET, SOCK_STREAM, &control, err);
	if (r == 0)
		r = records_file(site, &records, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n; i++)
		fds[i] = (struct daemon_fd) { i % 2 ? "tcp" : "udp", s->fds[i] };
	fds[s->n] = (struct daemon_fd) { "control-fd", control };
	fds[s->n + 1] = (struct daemon_fd) { "records-fd", records };
	add_args(network, &args);
	r = daemon_start(program, &args, fds, s->n + 2, err);
	strv_done(&args);
	if (r < 0)
		(void)unlinkat(dir, SOCKET, 0);
	return r;
}

static int start_bound(const struct network_site *site, const struct network *network, int dir,
		       uint16_t before, const struct sockets *s, struct error *err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", s->port), r = 0;

	if (before != s->port)
		r = file_write_at(dir, PORT_FILE, text, (size_t)len, 0644, FILE_PLAIN, err);
	if (r == 0)
		r = move_port(site, network, before, s->port, err);
	/* Before it runs: one that runs is not looked at again. */
	if (r == 0)
		r = foreign_allow(site, network, err);
	return r < 0 ? r : run(site, network, dir, s, err);
}

/* The caller holds the lock; place is it. */
static int start(const struct network_site *site, const struct network *network, int place,
		 struct error *err)
{
	uint16_t before = names_server_port(site, network);
	struct sockets s = { .n = 0 };
	autoclose int dir = -1;
	int r = dir_ensure_at(place, network->name, 0711, &dir, err);

	if (r < 0)
		return r;
	r = open_sockets(network, before, &s);
	/* A bridge that we joined, whose gateway is another machine. */
	if (s.n == 0 || (r == -EADDRNOTAVAIL && !network->managed))
		r = 0;
	else if (r < 0)
		(void)error_sys(err, r, "open a port on the gateway");
	else
		r = start_bound(site, network, dir, before, &s, err);
	sockets_close(&s);
	return r < 0 ? error_wrap(err, r, "start strake-dns for network %s", network->name) : 0;
}

static bool narrate(const struct network *network)
{
	return explain_note("strake-dns answers the names of network %s on its gateway's port 53; "
			    "no stock tool does",
			    network->name);
}

int names_server_start(const struct network_site *site, const struct network *network,
		       struct error *err)
{
	autoclose int place = -1;
	int r = explain_dry() ? 0 : lock(site, &place, err);

	if (r < 0 || (!explain_dry() && is_running(place, network->name)))
		return r;
	return narrate(network) ? 0 : start(site, network, place, err);
}

/* changes */

/* Bridge networks with containers. */
static int networks_in_use(struct db *db, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT name FROM networks n WHERE driver = 0"
			 " AND EXISTS (SELECT 1 FROM leases WHERE network = n.id)",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

/* One that nobody answers: it died, or there is none. */
static int start_again(const struct network_site *site, const char *name, int place,
		       struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	int r = network_find(site->db, name, &network, err);

	if (r < 0 || network.dns_off)
		return r;
	return start(site, &network, place, err);
}

/* One of a network without containers: it ends, and its place goes. */
static int stop(const char *name, int place, struct error *err)
{
	struct buf text = BUF_INIT(64);
	int r;

	buf_add_str(&text, "replace\nend\n");
	r = tell(place, name, &text, err);
	buf_done(&text);
	if (r == -ENOENT || r == -ECONNREFUSED)
		r = 0;
	return r < 0 ? r : dir_remove_at(place, name, err);
}

/* Places of resolvers whose network has no containers. */
static void list_idle(int place, const struct strv *in_use, struct strv *ret)
{
	int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !strv_has(in_use, entry->d_name))
			strv_add(ret, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static int stop_idle(int place, const struct strv *in_use, struct error *err)
{
	struct strv idle = { 0 };
	int r = 0;

	list_idle(place, in_use, &idle);
	for (size_t i = 0; r == 0 && i < idle.n; i++)
		r = stop(idle.items[i], place, err);
	strv_done(&idle);
	return r;
}

/* All are told before the first is listened to: they work at the same time, and with many networks
 * nobody waits for one after the other.
 */
static int tell_all(const struct network_site *site, const struct strv *networks, int place,
		    const struct buf *text, bool is_removal, struct error *err)
{
	autofree int *socks = xcalloc(networks->n + 1, sizeof(*socks));
	int first = 0;

	for (size_t i = 0; i < networks->n; i++) {
		const char *name = networks->items[i];
		int r;

		socks[i] = -1;
		r = first == 0 ? say(place, name, text, &socks[i], err) : 0;
		if (r == -ENOENT || r == -ECONNREFUSED) {
			r = start_again(site, name, place, is_removal ? NULL : err);
			if (is_removal) /* none that runs answers for it: it must not keep what goes
					 */
				r = 0;
		}
		first = first < 0 ? first : r;
	}
	for (size_t i = 0; i < networks->n; i++) {
		int r = socks[i] < 0 ? 0
				     : hear(socks[i], networks->items[i], first < 0 ? NULL : err);

		if (socks[i] >= 0)
			(void)close(socks[i]);
		first = first < 0 ? first : r;
	}
	return first;
}

static int tell_change(const struct network_site *site, const char *id, int place,
		       const struct strv *networks, struct error *err)
{
	struct buf text = BUF_INIT(UPDATE_MAX);
	bool is_removal;
	size_t len;
	int r;

	buf_addf(&text, "del %s\n", id);
	len = text.len;
	r = add_records(site->db, SCOPE_CONTAINER, id, false, &text, err);
	is_removal = text.len == len;
	if (r == 0)
		r = end_records(&text, err);
	if (r == 0)
		r = tell_all(site, networks, place, &text, is_removal, err);
	buf_done(&text);
	return r;
}

/* Every resolver hears of what goes or changes: which of them know it is not written down. */
int names_server_changed(const struct network_site *site, const char *id, struct error *err)
{
	struct strv networks = { 0 };
	autoclose int place = -1;
	int r = explain_dry() ? 1 : lock(site, &place, err);

	if (r != 0)
		return MIN(r, 0);
	r = networks_in_use(site->db, &networks, err);
	if (r == 0)
		r = tell_change(site, id, place, &networks, err);
	if (r == 0)
		r = stop_idle(place, &networks, err);
	strv_done(&networks);
	return r;
}

/* additions */

/* The bridge networks whose resolvers someone asks that sees this container: its own, and those
 * that share a container with one of its own.  Only the first cable of a container ends with -0:
 * one that is in two networks has a lease with another link, or none.
 */
static int networks_concerned(struct db *db, const char *id, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(
		db, &rows, err,
		"WITH own AS (SELECT network FROM leases WHERE container = ?1)"
		" SELECT name FROM networks WHERE driver = 0 AND id IN (SELECT network FROM own"
		" UNION SELECT other.network FROM leases second" /* few, so they come first */
		" CROSS JOIN leases one ON one.container = second.container"
		" CROSS JOIN leases other ON other.container = second.container"
		" WHERE substr(second.link, -2) <> '-0' AND one.network IN (SELECT network FROM own))",
		"s", id);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static int count_networks(struct db *db, const char *id, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT count(*) FROM leases WHERE container = ?1", "s",
			 id);

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

/* One that joins networks is what its resolvers could not know before: all that is in them. */
static int tell_addition(const struct network_site *site, const char *id, int place,
			 const struct strv *networks, struct error *err)
{
	struct buf text = BUF_INIT(UPDATE_MAX);
	int64_t n = 0;
	int r = count_networks(site->db, id, &n, err);

	if (r == 0)
		r = add_records(site->db, n > 1 ? SCOPE_NEIGHBOURS : SCOPE_CONTAINER, id, true,
				&text, err);
	if (r == 0)
		r = end_records(&text, err);
	if (r == 0)
		r = tell_all(site, networks, place, &text, false, err);
	buf_done(&text);
	return r;
}

/* Who is told of too few could not be asked about the others, so with many networks nobody pays for
 * those that have nothing to do with the container.
 */
int names_server_added(const struct network_site *site, const char *id, struct error *err)
{
	struct strv concerned = { 0 }, in_use = { 0 };
	autoclose int place = -1;
	int r = explain_dry() ? 1 : lock(site, &place, err);

	if (r != 0)
		return MIN(r, 0);
	r = networks_concerned(site->db, id, &concerned, err);
	if (r == 0)
		r = tell_addition(site, id, place, &concerned, err);
	if (r == 0)
		r = networks_in_use(site->db, &in_use, err);
	if (r == 0)
		r = stop_idle(place, &in_use, err);
	strv_done(&concerned);
	strv_done(&in_use);
	return r;
}

/* check */

static int check_one(const struct network_site *site, const char *name, int place, bool repair,
		     bool *ret_missing, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	int r = network_find(site->db, name, &network, err);

	*ret_missing = false;
	if (r < 0 || network.dns_off)
		return r;
	/* Of a joined bridge there may never have been one. */
	if (is_running(place, name) || (!network.managed && !names_server_port(site, &network)))
		return 0;
	*ret_missing = true;
	return repair ? start(site, &network, place, err) : 0;
}

struct findings {
	void (*report)(void *data, const char *text);
	void *data;
	int n;
};

static void found(struct findings *f, char *text)
{
	f->n++;
	if (f->report)
		f->report(f->data, text);
	free(text);
}

static int check_all(const struct network_site *site, const struct strv *networks, int place,
		     bool repair, struct findings *f, struct error *err)
{
	struct strv idle = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < networks->n; i++) {
		const char *name = networks->items[i];
		bool missing;

		r = check_one(site, name, place, repair, &missing, err);
		if (missing)
			found(f, xasprintf("nobody answers the names of network %s: its "
					   "strake-dns is gone",
					   name));
	}
	list_idle(place, networks, &idle);
	for (size_t i = 0; r == 0 && i < idle.n; i++) {
		found(f, xasprintf("strake-dns of network %s is there for no container",
				   idle.items[i]));
		if (repair)
			r = stop(idle.items[i], place, err);
	}
	strv_done(&idle);
	return r;
}

int names_server_check(const struct network_site *site, bool repair,
		       void (*report)(void *data, const char *text), void *data, struct error *err)
{
	struct findings findings = { report, data, 0 };
	struct strv networks = { 0 };
	autoclose int place = -1;
	int r = explain_dry() ? 1 : lock(site, &place, err);

	if (r != 0)
		return MIN(r, 0);
	r = networks_in_use(site->db, &networks, err);
	if (r == 0)
		r = check_all(site, &networks, place, repair, &findings, err);
	strv_done(&networks);
	return r < 0 ? r : findings.n;
}

/* servers of one container */

int names_server_note(struct db *db, const char *id, const struct strv *dns, struct error *err)
{
	struct buf text = BUF_INIT(4096);
	int r;

	if (!dns || dns->n == 0)
		return 0;
	for (size_t i = 0; i < dns->n; i++) {
		struct ip ip;

		if (ip_parse(dns->items[i], &ip) < 0) {
			buf_done(&text);
			return error_set(err, -EINVAL, "--dns '%s' is not an address",
					 dns->items[i]);
		}
		buf_addf(&text, "%s%s", i ? "," : "", dns->items[i]);
	}
	r = db_run(db, err,
		   "INSERT OR REPLACE INTO name_servers (container, servers) VALUES (?1, ?2)", "ss",
		   id, buf_text(&text));
	buf_done(&text);
	return r;
}

int names_server_noted(struct db *db, const char *id, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT servers FROM name_servers WHERE container = ?1",
			 "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		autofree char *text = xstrdup(db_text(&rows, 0));
		char *rest = text, *server;

		while ((server = strsep(&rest, ",")))
			strv_add(ret, server);
	}
	return db_finish(&rows);
}

int names_server_forget(struct db *db, const char *id, struct error *err)
{
	return db_run(db, err, "DELETE FROM name_servers WHERE container = ?1", "s", id);
}

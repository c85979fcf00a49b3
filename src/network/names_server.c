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
#include "base/socket.h"
#include "base/strv.h"
#include "network/attach.h"
#include "network/foreign.h"
#include "network/names_port.h"
#include "network/names_records.h"
#include "network/network.h"

#define PROGRAM       "strake-dns"
#define SOCKET        "names"
#define ANSWER_WITHIN 5 /* seconds; it does nothing that takes longer than one */

/* One command at a time reads the database and tells the resolvers. */
static int lock(const struct network_site *site, int *ret, struct error *err)
{
	autofree char *dir = xasprintf("%s/" NAMES_PLACE, site->run_root);
	autoclose int fd = -1;
	int r = dir_ensure_at(AT_FDCWD, dir, 0711, &fd, err);

	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) < 0)
		return error_sys(err, -errno, "lock %s", dir);
	*ret = steal_fd(&fd);
	return 0;
}

/* telling */

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

/* start */

static int records_file(const struct network_site *site, int *ret, struct error *err)
{
	struct buf text = BUF_INIT(NAMES_RECORDS_MAX);
	int fd = -1, r = names_records_add(site->db, NAMES_OF_ALL, NULL, false, &text, err);

	if (r == 0)
		r = names_records_end(&text, err);
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
	       const struct names_sockets *s, struct error *err)
{
	autofree char *program = xasprintf("%s/" PROGRAM, site->libexec);
	struct daemon_fd fds[2 * NAMES_GATEWAYS_MAX + 2];
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
		       uint16_t before, const struct names_sockets *s, struct error *err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", s->port), r = 0;

	if (before != s->port)
		r = file_write_at(dir, NAMES_PORT_FILE, text, (size_t)len, 0644, FILE_PLAIN, err);
	if (r == 0)
		r = names_port_move(site, network, before, s->port, err);
	/* Before it runs: one that runs is not looked at again. */
	if (r == 0)
		r = foreign_allow(site, network, err);
	return r < 0 ? r : run(site, network, dir, s, err);
}

/* The caller holds the lock; place is it. */
static int start(const struct network_site *site, const struct network *network, int place,
		 struct error *err)
{
	uint16_t before = names_port(site, network);
	struct names_sockets s = { .n = 0 };
	autoclose int dir = -1;
	int r = dir_ensure_at(place, network->name, 0711, &dir, err);

	if (r < 0)
		return r;
	r = names_sockets_open(network, before, &s);
	/* A bridge that we joined, whose gateway is another machine. */
	if (s.n == 0 || (r == -EADDRNOTAVAIL && !network->managed))
		r = 0;
	else if (r < 0)
		(void)error_sys(err, r, "open a port on the gateway");
	else
		r = start_bound(site, network, dir, before, &s, err);
	names_sockets_close(&s);
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

/* For whoever made the bridge, who may not have done so yet, or has just taken it away: then its
 * gateway is no address of this host, and the next to make it starts what answers there.
 */
static int start_for_other(const struct network_site *site, const struct network *network,
			   int place, struct error *err)
{
	struct error why = { 0 };
	int r = start(site, network, place, &why);

	if (r == -EADDRNOTAVAIL)
		return 0;
	if (r < 0 && err)
		*err = why;
	return r;
}

/* One that nobody answers: it died, or there is none. */
static int start_again(const struct network_site *site, const char *name, int place,
		       struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	int r = network_find(site->db, name, &network, err);

	if (r == -ENOENT) /* it went with its last container since its name was read */
		return 0;
	if (r < 0 || network.dns_off)
		return r;
	return start_for_other(site, &network, place, err);
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

int names_server_stop(const struct network_site *site, const struct network *network,
		      struct error *err)
{
	autoclose int place = -1;
	int r = explain_dry() ? 1 : lock(site, &place, err);

	return r != 0 ? MIN(r, 0) : stop(network->name, place, err);
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
	struct buf text = BUF_INIT(NAMES_RECORDS_MAX);
	bool is_removal;
	size_t len;
	int r;

	buf_addf(&text, "del %s\n", id);
	len = text.len;
	r = names_records_add(site->db, NAMES_OF_CONTAINER, id, false, &text, err);
	is_removal = text.len == len;
	if (r == 0)
		r = names_records_end(&text, err);
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
	struct buf text = BUF_INIT(NAMES_RECORDS_MAX);
	int64_t n = 0;
	int r = count_networks(site->db, id, &n, err);

	if (r == 0)
		r = names_records_add(site->db, n > 1 ? NAMES_OF_NEIGHBOURS : NAMES_OF_CONTAINER,
				      id, true, &text, err);
	if (r == 0)
		r = names_records_end(&text, err);
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
	if (is_running(place, name) || (!network.managed && !names_port(site, &network)))
		return 0;
	*ret_missing = true;
	return repair ? start_for_other(site, &network, place, err) : 0;
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

/* src/lab/lookup.c */
#include "lab/lookup.h"

#include <arpa/nameser.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "lab/locate.h"
#include "lab/names.h"
#include "lab/observe.h"
#include "lab/probe.h"
#include "network/dns_message.h"
#include "network/dns_upstream.h"

#define ANSWER_MS 300 /* a server that is there answers at once, unless the machine is busy */
#define TRIES     2

/* asking */

struct asking {
	struct lookup *l;
	uint16_t type, id;
	int wait_ms;
	struct observer *observer; /* NULL, or what hears the question on its way */
	uint16_t port;             /* from which it was asked */
};

static size_t put_question(const struct asking *a, uint8_t *bytes, size_t room)
{
	uint8_t wire[NS_MAXCDNAME];
	size_t len = 0;

	if (ns_name_pton(a->l->name, wire, sizeof(wire)) < 0)
		return 0;
	while (wire[len])
		len += wire[len] + 1U;
	len++;
	if (DNS_HEADER + len + 4 > room)
		return 0;
	memset(bytes, 0, DNS_HEADER);
	bytes[0] = (uint8_t)(a->id >> 8);
	bytes[1] = (uint8_t)a->id;
	bytes[2] = 1; /* recursion is wanted */
	bytes[5] = 1; /* one question */
	memcpy(bytes + DNS_HEADER, wire, len);
	bytes += DNS_HEADER + len;
	memcpy(bytes, (const uint8_t[]) { 0, (uint8_t)a->type, 0, ns_c_in }, 4);
	return DNS_HEADER + len + 4;
}

int lookup_parse(const void *message, size_t len, uint16_t id, struct lookup *ret)
{
	ns_msg msg;

	if (ns_initparse(message, (int)len, &msg) < 0 || ns_msg_id(msg) != id ||
	    !ns_msg_getflag(msg, ns_f_qr))
		return -EBADMSG;
	ret->rcode = ns_msg_getflag(msg, ns_f_rcode);
	for (int i = 0; i < ns_msg_count(msg, ns_s_an) && ret->n < LOOKUP_ADDRESSES_MAX; i++) {
		struct ip ip = { .family = 0 };
		ns_rr rr;

		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return -EBADMSG;
		if (ns_rr_type(rr) == ns_t_a && ns_rr_rdlen(rr) == 4)
			ip.family = AF_INET;
		else if (ns_rr_type(rr) == ns_t_aaaa && ns_rr_rdlen(rr) == 16)
			ip.family = AF_INET6;
		if (!ip_is_set(&ip))
			continue;
		memcpy(ip.bytes, ns_rr_rdata(rr), ip_len(&ip));
		ret->addresses[ret->n++] = ip;
	}
	return 0;
}

static int connect_to(const struct ip *server, int fd)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	bool v6 = server->family == AF_INET6;

	memcpy(&to4.sin_addr, server->bytes, 4);
	memcpy(&to6.sin6_addr, server->bytes, 16);
	return connect(fd, v6 ? (const void *)&to6 : (const void *)&to4,
		       v6 ? sizeof(to6) : sizeof(to4)) < 0
		       ? -errno
		       : 0;
}

static void note_port(struct asking *a, int fd)
{
	struct sockaddr_in6 own = { .sin6_port = 0 };
	socklen_t len = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &len) == 0)
		a->port = ntohs(own.sin6_port); /* both families have it at the same place */
}

static int take_answer(struct asking *a, int fd)
{
	uint8_t bytes[DNS_UDP_MAX];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		int n = poll(&p, 1, a->wait_ms);
		ssize_t len;

		if (n <= 0)
			return n < 0 ? -errno : -ETIMEDOUT;
		len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (len < 0)
			return -errno;
		if (lookup_parse(bytes, (size_t)len, a->id, a->l) == 0)
			return 0;
	}
}

/* Inside the node. */
static int ask_now(void *data, struct error *err)
{
	struct asking *a = data;
	autoclose int fd = socket(a->l->server.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t bytes[DNS_UDP_PLAIN];
	size_t len = put_question(a, bytes, sizeof(bytes));

	(void)err;
	if (fd < 0 || len == 0) {
		a->l->r = fd < 0 ? -errno : -EINVAL;
		return 0;
	}
	a->l->r = connect_to(&a->l->server, fd);
	note_port(a, fd);
	if (a->l->r == 0 && send(fd, bytes, len, 0) < 0)
		a->l->r = -errno;
	if (a->l->r == 0)
		a->l->r = take_answer(a, fd);
	return 0;
}

static void ask(struct lab *lab, struct asking *a)
{
	struct error err = { 0 };

	a->wait_ms = ANSWER_MS + 2 * (int)lab_delay_ms(lab->topology);
	if (getrandom(&a->id, sizeof(a->id), 0) != (ssize_t)sizeof(a->id))
		a->id = 1;
	if (lab_inside(lab, a->l->node, ask_now, a, &err) < 0)
		a->l->r = err.code;
}

/* IPv4 addresses, then those of IPv6. */
static void ask_both(struct lab *lab, struct lookup *l)
{
	static const uint16_t types[] = { ns_t_a, ns_t_aaaa };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct asking a = { .l = l, .type = types[i] };

		ask(lab, &a);
		if (l->r < 0 || l->rcode != ns_r_noerror)
			return;
	}
}

static void read_servers(const struct lab *lab, size_t node, struct dns_servers *ret)
{
	static const char *const avoid[] = { NULL };
	autofree char *path = lab_names_resolv(lab->dir, &lab->topology->nodes[node]);
	autofree char *text = NULL;

	ret->n = 0;
	if (path && file_read_at(AT_FDCWD, path, DNS_CONF_MAX, &text, NULL, NULL) == 0)
		dns_servers_parse(text, avoid, ret);
}

static struct ip server_ip(const union dns_address *address)
{
	char text[INET6_ADDRSTRLEN];
	struct ip ip = { .family = 0 };

	if (dns_address_format(address, text))
		ignore_result(ip_parse(text, &ip));
	return ip;
}

void lookup_run(struct lab *lab, struct lookup *l)
{
	const struct lookup question = { .node = l->node, .name = l->name };
	struct lookup first = question;
	struct dns_servers servers;

	read_servers(lab, l->node, &servers);
	for (size_t i = 0; i < servers.n * TRIES; i++) {
		*l = question;
		l->server = server_ip(&servers.list[i % servers.n]);
		if (ip_is_set(&l->server))
			ask_both(lab, l);
		if (ip_is_set(&l->server) && l->r == 0)
			return;
		if (!ip_is_set(&first.server))
			first = *l;
	}
	*l = first;
}

size_t lookup_expected(const struct topology *t, const char *name, struct ip *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++) {
		const struct node *node = &t->nodes[i];

		for (size_t k = 0; strcasecmp(node->name, name) == 0 && k < node->n_interfaces; k++)
			for (size_t a = 0; a < node->interfaces[k].n_addresses; a++)
				if (n < LOOKUP_ADDRESSES_MAX)
					ret[n++] = node->interfaces[k].addresses[a].ip;
		for (size_t k = 0; k < node->n_records; k++)
			if (strcasecmp(node->records[k].name, name) == 0 &&
			    n < LOOKUP_ADDRESSES_MAX)
				ret[n++] = node->records[k].ip;
	}
	return n;
}

/* why not */

static const char *node_name(const struct diagnosis *d, size_t node)
{
	return d->lab->topology->nodes[node].name;
}

static bool has_socket_at(const char *path)
{
	static const char port[] = ":0035 "; /* of a local address; a remote one has state 01 */
	autofree char *text = NULL;

	if (file_read_at(AT_FDCWD, path, NAMES_MAX, &text, NULL, NULL) < 0)
		return false;
	for (const char *line = strchr(text, '\n'); line && line[1];
	     line = strchr(line + 1, '\n')) {
		const char *local = strchr(line + 1, ':');

		local = local ? strchr(local + 1, ':') : NULL;
		if (local && strncmp(local, port, sizeof(port) - 1) == 0)
			return true;
	}
	return false;
}

static int see_listener(void *data, struct error *err)
{
	(void)err;
	*(bool *)data = has_socket_at("/proc/thread-self/net/udp") ||
			has_socket_at("/proc/thread-self/net/udp6");
	return 0;
}

static bool each_server(void *data, size_t node, const struct fact_address *address)
{
	(void)address;
	*(size_t *)data = node;
	return true;
}

/* Where the question (or its answer) was last heard, when it is asked again. */
struct trail {
	size_t left;         /* the question left its sender */
	size_t last;         /* it was heard coming in there last; NO_INDEX */
	bool came, answered; /* to the server; and that sent something back */
	size_t last_answer;  /* as last */
};

static void follow(const struct sights *sights, const struct asking *a, size_t server,
		   struct trail *ret)
{
	*ret = (struct trail) { .last = NO_INDEX, .last_answer = NO_INDEX };
	for (size_t i = 0; i < sights->n; i++) {
		const struct sight *s = &sights->items[i];
		struct frame f;
		bool there, back;

		frame_decode_inner(sight_bytes(sights, s), s->len, &f);
		there = f.what == FRAME_UDP && f.port_dst == DNS_PORT;
		back = f.what == FRAME_UDP && f.port_src == DNS_PORT && f.port_dst == a->port;
		if (there && s->out && s->node == a->l->node)
			ret->left++;
		if (there && !s->out) {
			ret->last = ret->came ? ret->last : s->node;
			ret->came = ret->came || s->node == server;
		}
		if (back && s->out && s->node == server)
			ret->answered = true;
		if (back && !s->out)
			ret->last_answer = s->node;
	}
}

static int watch(struct diagnosis *d, struct lookup *l, size_t server, struct trail *ret,
		 struct error *err)
{
	cleanup(observer_cleanup) struct observer *o = NULL;
	struct sights sights = SIGHTS_INIT;
	struct asking a = { .l = l, .type = ns_t_a };
	int r = observer_open(d->lab, 0, OBSERVE_ALL, NULL, &o, err);

	if (r < 0)
		return r;
	ask(d->lab, &a);
	(void)observer_settle(o, &sights, ANSWER_MS);
	follow(&sights, &a, server, ret);
	sights_done(&sights);
	return 0;
}

/* All that is below IP is right. */
static void blame_somebody(struct diagnosis *d, const struct lookup *l, size_t server,
			   struct verdict *v)
{
	static const char *const out[] = { "output", "postrouting", "egress", "ingress", NULL };
	static const char *const in[] = { "input", "prerouting", "ingress", "output", NULL };
	static const char *const through[] = { "forward", "prerouting", "postrouting", "ingress",
					       NULL };
	struct lookup again = *l;
	struct error err = { 0 };
	struct trail t;
	bool listens = false;

	ignore_result(lab_inside(d->lab, server, see_listener, &listens, &err));
	if (watch(d, &again, server, &t, &err) < 0) {
		verdict_set(v, CAUSE_UNKNOWN, NO_INDEX, "%s", err.text);
		return;
	}
	if (again.r == 0)
		verdict_set(v, CAUSE_UNKNOWN, NO_INDEX, "it was answered when it was tried again");
	else if (!t.left)
		locate_blame(d->lab, l->node, out, "does not send the question to port 53", v);
	else if (!t.came && t.last != NO_INDEX)
		locate_blame(d->lab, t.last, through,
			     "hears the question to port 53 and does not pass it on", v);
	else if (!t.came)
		verdict_set(v, CAUSE_FRAMES_LOST, l->node,
			    "the question leaves %s and is not heard at the other end",
			    node_name(d, l->node));
	else if (t.answered && t.last_answer == l->node)
		locate_blame(d->lab, l->node, in, "gets the answer and does not take it", v);
	else if (t.answered && t.last_answer != NO_INDEX)
		locate_blame(d->lab, t.last_answer, through,
			     "hears the answer and does not pass it on", v);
	else if (!listens)
		verdict_set(v, CAUSE_DNS_SERVER, server,
			    "name server down: %s hears the question, and nobody listens on port "
			    "53 there ('strake lab dns %s %s' starts it)",
			    node_name(d, server), d->lab->topology->name, node_name(d, server));
	else
		locate_blame(d->lab, server, in, "hears the question and does not answer", v);
}

/* Of the file's servers for a node, is this one? */
static bool is_declared(const struct topology *t, size_t node, const struct ip *server)
{
	for (size_t i = 0; i < t->nodes[node].n_resolvers; i++)
		if (ip_equal(&t->nodes[node].resolvers[i], server))
			return true;
	return false;
}

static void no_answer(struct diagnosis *d, const struct lookup *l, struct verdict *v)
{
	cleanup(prober_cleanup) struct prober *prober = NULL;
	const struct topology *t = d->lab->topology;
	struct ping p = { .from = l->node, .to = l->server };
	struct question q = { .from = l->node, .to = NO_INDEX, .target = l->server };
	struct error err = { 0 };
	char text[IP_TEXT_LEN], right[IP_TEXT_LEN];

	ip_format(&l->server, text);
	(void)facts_owners(&d->facts, &l->server, each_server, &q.to);
	if (!is_declared(t, l->node, &l->server) && (q.to == NO_INDEX || !t->nodes[q.to].dns)) {
		ip_format(&t->nodes[l->node].resolvers[0], right);
		verdict_set(v, CAUSE_DNS_ADDRESS, l->node,
			    "wrong name server: %s asks %s, %s; the file has it ask %s",
			    node_name(d, l->node), text,
			    q.to == NO_INDEX ? "which nobody has" : "which is none", right);
		return;
	}
	if (prober_open(d->lab, NULL, &prober, &err) == 0)
		prober_run(prober, &p, 1, NULL);
	if (!p.answered && diagnose(d, &q, v, &err) == 0 && v->cause != CAUSE_UNKNOWN) {
		char why[sizeof(v->text)];

		(void)snprintf(why, sizeof(why), "%s", v->text);
		(void)snprintf(v->text, sizeof(v->text), "name server %s: %.300s", text, why);
		return;
	}
	v->cause = CAUSE_NONE;
	if (q.to != NO_INDEX)
		blame_somebody(d, l, q.to, v);
	verdict_set(v, CAUSE_UNKNOWN, NO_INDEX, "name server %s does not answer %s", text,
		    node_name(d, l->node));
}

static bool is_one_of(const struct ip *ip, const struct ip *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_equal(ip, &list[i]))
			return true;
	return false;
}

static bool wrong_answer(struct diagnosis *d, const struct lookup *l, const struct ip *wanted,
			 size_t n, struct verdict *v)
{
	char server[IP_TEXT_LEN], is[IP_TEXT_LEN], right[IP_TEXT_LEN];
	size_t node = NO_INDEX;
	const char *who;

	ip_format(&l->server, server);
	(void)facts_owners(&d->facts, &l->server, each_server, &node);
	who = node == NO_INDEX ? server : node_name(d, node);
	if (l->rcode != ns_r_noerror && l->rcode != ns_r_nxdomain)
		return verdict_set(v, CAUSE_DNS_SERVER, node,
				   "name server %s refuses to answer (code %d)", who, l->rcode);
	if (l->n == 0)
		return verdict_set(v, CAUSE_DNS_NAME, node,
				   "name server %s knows no address of %s: look at its /etc/hosts",
				   who, l->name);
	for (size_t i = 0; wanted && i < l->n; i++) {
		if (is_one_of(&l->addresses[i], wanted, n))
			continue;
		ip_format(&l->addresses[i], is);
		ip_format(&wanted[0], right);
		return verdict_set(v, CAUSE_DNS_RECORD, node,
				   "wrong record: name server %s says that %s is %s, not %s", who,
				   l->name, is, n ? right : "what the lab has");
	}
	return false;
}

bool lookup_judge(struct diagnosis *d, const struct lookup *l, const struct ip *wanted, size_t n,
		  struct verdict *v)
{
	if (!ip_is_set(&l->server)) {
		verdict_set(v, CAUSE_DNS_ADDRESS, l->node,
			    "no name server: /etc/resolv.conf of %s names none",
			    node_name(d, l->node));
		return false;
	}
	if (l->r == 0)
		return !wrong_answer(d, l, wanted, n, v);
	no_answer(d, l, v);
	return false;
}

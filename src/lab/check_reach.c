/* src/lab/check_reach.c - checks of who reaches whom. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "lab/checking.h"
#include "lab/duplicate.h"

#define CONNECT_MS 1500

struct connecting {
	struct ip to;
	uint16_t port;
	int r;
};

static int connect_now(void *data, struct error *err)
{
	struct connecting *c = data;
	autoclose int fd = socket(c->to.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(c->port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(c->port) };
	bool v6 = c->to.family == AF_INET6;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(c->r);

	memcpy(&to4.sin_addr, c->to.bytes, 4);
	memcpy(&to6.sin6_addr, c->to.bytes, 16);
	if (fd < 0)
		return error_sys(err, -errno, "open a socket");
	if (connect(fd, v6 ? (const void *)&to6 : (const void *)&to4,
		    v6 ? sizeof(to6) : sizeof(to4)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		c->r = errno;
	else if (poll(&p, 1, CONNECT_MS) == 0)
		c->r = ETIMEDOUT;
	else
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &c->r, &len);
	return 0;
}

static bool each_owner(void *data, size_t node, const struct fact_address *address)
{
	(void)address;
	*(size_t *)data = node;
	return true;
}

static void no_way_back(struct checking *c, const struct question *q, struct verdict *v)
{
	char text[IP_TEXT_LEN];

	ip_format(&q->target, text);
	*v = (struct verdict) { .cause = CAUSE_NONE, .on_return = true };
	verdict_set(v, CAUSE_NO_RETURN_ROUTE, q->from,
		    "no return route: %s has no route back to %s", checking_name(c, q->from), text);
}

/* Where a port of the target leads to, when the target itself is reached: there, and back. */
static bool published_fails(struct checking *c, const struct question *q, uint16_t port,
			    struct verdict *v)
{
	const struct node *n = q->to == NO_INDEX ? NULL : &checking_lab(c)->nodes[q->to];
	struct ip_net back;

	for (size_t i = 0; n && i < n->n_publish; i++) {
		const struct lab_publish *p = &n->publish[i];
		struct question on = { .from = q->to, .to = NO_INDEX, .target = p->to };

		if (p->port != port || !facts_owners(&c->d.facts, &p->to, each_owner, &on.to))
			continue;
		if (on.to != q->to && checking_diagnose(c, &on, v) && v->cause != CAUSE_UNKNOWN)
			return true;
		if (on.to == q->from || !node_address(&c->d.facts, q->from, p->to.family, &back))
			continue;
		if (q->from == q->to) /* it keeps the address that it was sent to */
			back.ip = q->target;
		on = (struct question) { .from = on.to, .to = q->from, .target = back.ip };
		*v = (struct verdict) { .cause = CAUSE_NONE };
		if (!checking_diagnose(c, &on, v) || v->cause == CAUSE_UNKNOWN)
			continue;
		if (v->cause == CAUSE_NO_ROUTE && v->node == on.from)
			no_way_back(c, &on, v);
		return true;
	}
	return false;
}

/* What a node sends itself never passes prerouting. */
static const char *why_refused(const struct checking *c, const struct question *q, uint16_t port)
{
	const struct node *n = q->to == NO_INDEX ? NULL : &checking_lab(c)->nodes[q->to];

	for (size_t i = 0; n && q->from == q->to && i < n->n_publish; i++)
		if (n->publish[i].port == port && !n->publish[i].from_itself)
			return "refused: its rule is in the hook prerouting, and what the node "
			       "sends itself passes the hook output instead";
	return "refused: nobody listens there, and no rule leads on";
}

static bool reaches_port(struct checking *c, const struct question *q, uint16_t port)
{
	struct connecting connecting = { .to = q->target, .port = port };
	struct verdict v = { .cause = CAUSE_NONE };
	char text[IP_TEXT_LEN];
	struct error err = { 0 };

	ip_format(&q->target, text);
	if (lab_inside(c->lab, q->from, connect_now, &connecting, &err) < 0)
		return checking_failed(c, xstrdup(err.text));
	if (connecting.r == 0)
		return true;
	if (connecting.r != ECONNREFUSED &&
	    ((checking_diagnose(c, q, &v) && v.cause != CAUSE_UNKNOWN) ||
	     published_fails(c, q, port, &v)))
		return checking_failed(c, xasprintf("%s to %s port %u: %s [%s]",
						    checking_name(c, q->from), text, port, v.text,
						    cause_name(v.cause)));
	return checking_failed(c, xasprintf("%s to %s port %u: %s", checking_name(c, q->from), text,
					    port,
					    connecting.r == ECONNREFUSED ? why_refused(c, q, port)
									 : strerror(connecting.r)));
}

static bool pinged(struct checking *c, const struct question *q, uint64_t ttl)
{
	struct ping p = { .from = q->from, .to = q->target };
	struct verdict v = { .cause = CAUSE_NONE };
	char text[IP_TEXT_LEN];

	prober_run(c->prober, &p, 1, NULL);
	ip_format(&q->target, text);
	if (p.answered && find_duplicate(&c->d.facts, &q->target, &v))
		return checking_failed(c, xasprintf("%s -> %s: %s [%s]", checking_name(c, q->from),
						    text, v.text, cause_name(v.cause)));
	if (p.answered && ttl && p.ttl != ttl)
		return checking_failed(c, xasprintf("%s -> %s: TTL is %u, not %u",
						    checking_name(c, q->from), text, p.ttl,
						    (unsigned)ttl));
	if (p.answered)
		return true;
	if (checking_diagnose(c, q, &v))
		(void)checking_failed(c, xasprintf("%s -> %s: %s [%s]", checking_name(c, q->from),
						   text, v.text, cause_name(v.cause)));
	return false;
}

/* One way of a pair; address stands for the second node's own. */
static bool try_pair(struct checking *c, size_t i, size_t k, bool wanted)
{
	const struct yaml *list = c->check->arguments;
	const char *address = checking_text(c, "address"), *because = checking_text(c, "because");
	uint64_t port = yaml_number(&c->rd, checking_key(c, "port"), "port", 1, UINT16_MAX, 0);
	uint64_t ttl = yaml_number(&c->rd, checking_key(c, "ttl"), "ttl", 1, 255, 0);
	struct question q = { .from = NO_INDEX };
	struct verdict v = { .cause = CAUSE_NONE };
	struct ping p;

	if (!checking_node(c, yaml_item(list, i), &q.from) ||
	    !checking_node(c, yaml_item(list, k), &q.to))
		return false;
	if (address && ip_parse(address, &q.target) < 0)
		return false;
	if (!address && !checking_address(c, yaml_item(list, k), q.from, q.to, &q.target))
		return false;
	if (c->rd.r < 0)
		return false;
	if (wanted)
		return port ? reaches_port(c, &q, (uint16_t)port) : pinged(c, &q, ttl);
	if (port)
		return !reaches_port(c, &q, (uint16_t)port) ||
		       checking_failed(c,
				       xasprintf("%s reaches %s port %u", checking_name(c, q.from),
						 checking_name(c, q.to), (unsigned)port));
	p = (struct ping) { .from = q.from, .to = q.target };
	prober_run(c->prober, &p, 1, NULL);
	if (p.answered)
		return checking_failed(c, xasprintf("%s reaches %s", checking_name(c, q.from),
						    checking_name(c, q.to)));
	if (!because)
		return true;
	if (!checking_diagnose(c, &q, &v))
		return false;
	return strcmp(cause_name(v.cause), because) == 0 ||
	       checking_failed(c, xasprintf("the reason is not %s, but %s: %s", because,
					    cause_name(v.cause), v.text));
}

/* Each reaches all that stand behind it. */
static bool check_pairs(struct checking *c, bool wanted)
{
	size_t n = yaml_count(&c->rd, c->check->arguments, c->check->kind);

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (c->rd.r < 0 || !try_pair(c, i, k, wanted))
				return false;
	return true;
}

bool check_reach(struct checking *c)
{
	return check_pairs(c, true);
}

bool check_no_reach(struct checking *c)
{
	return check_pairs(c, false);
}

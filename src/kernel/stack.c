/* src/kernel/stack.c
 *
 * Sockets come from /proc/net and not from the socket diagnosis family, whose parts are modules
 * that a question would load.
 */
#include "kernel/stack.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "kernel/netlink.h"

#define PROC_NET_MAX (8U << 20) /* 150 bytes a socket */
#define FDS_MAX      65536      /* descriptors looked at to name the sockets of one process */

void stack_done(struct stack *s)
{
	free(s->links.items);
	free(s->addresses.items);
	free(s->routes.items);
	free(s->rules.items);
	free(s->neighbours.items);
	free(s->sockets.items);
	*s = (struct stack) { .ino = 0 };
}

/* The list with room for one more, zeroed, or NULL when it is full. */
static void *list_grow(struct stack *s, void *items, size_t n, size_t *room, size_t size)
{
	if (n == STACK_LIST_MAX) {
		s->cut = true;
		return NULL;
	}
	if (n == *room) {
		*room = *room ? *room * 2 : 8;
		items = xrealloc(items, *room, size);
	}
	memset((char *)items + n * size, 0, size);
	return items;
}

/* The next entry of a list, or NULL. */
#define LIST_NEXT(stack, list)                                                                     \
	({                                                                                         \
		__typeof__((stack)->list) *list_ = &(stack)->list;                                 \
		__typeof__(list_->items) grown_ =                                                  \
			list_grow((stack), list_->items, list_->n, &list_->room, sizeof(*grown_)); \
		list_->items = grown_ ? grown_ : list_->items;                                     \
		grown_ ? &grown_[list_->n++] : NULL;                                               \
	})

static void take_text(const struct nlattr *attr, char *ret, size_t room)
{
	(void)snprintf(ret, room, "%.*s", (int)mnl_attr_get_payload_len(attr),
		       mnl_attr_get_str(attr));
}

static void take_mac(const struct nlattr *attr, char ret[STACK_MAC_LEN])
{
	const uint8_t *b = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) == 6)
		(void)snprintf(ret, STACK_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
			       b[2], b[3], b[4], b[5]);
}

static bool take_ip(const struct nlattr *attr, uint8_t family, char ret[INET6_ADDRSTRLEN])
{
	size_t want = family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);

	return mnl_attr_get_payload_len(attr) == want &&
	       inet_ntop(family, mnl_attr_get_payload(attr), ret, INET6_ADDRSTRLEN);
}

static void take_net(const struct nlattr *attr, uint8_t family, unsigned prefix_len,
		     char ret[INET6_ADDRSTRLEN + 4])
{
	char ip[INET6_ADDRSTRLEN];

	if (take_ip(attr, family, ip))
		(void)snprintf(ret, INET6_ADDRSTRLEN + 4, "%s/%u", ip, prefix_len);
}

/* links */

static void take_kind(const struct nlattr *info, struct stack_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, info)
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			take_text(attr, link->kind, sizeof(link->kind));
}

static void link_attribute(const struct nlattr *attr, struct stack_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		take_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_ADDRESS:
		take_mac(attr, link->mac);
		break;
	case IFLA_MASTER:
		link->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		link->peer = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_nsid = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_CARRIER:
		link->carrier = mnl_attr_get_u8(attr) != 0;
		break;
	case IFLA_LINKINFO:
		take_kind(attr, link);
		break;
	default:
		break;
	}
}

static int fill_link(const struct nlmsghdr *hdr, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(hdr);
	struct stack_link *link = data;
	const struct nlattr *attr;

	link->index = ifi->ifi_index;
	link->peer_nsid = -1;
	link->up = ifi->ifi_flags & IFF_UP;
	link->loopback = ifi->ifi_flags & IFF_LOOPBACK;
	mnl_attr_for_each (attr, hdr, sizeof(*ifi))
		link_attribute(attr, link);
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *hdr, void *data)
{
	struct stack *s = data;
	struct stack_link *link = LIST_NEXT(s, links);

	return link ? fill_link(hdr, link) : MNL_CB_OK;
}

int stack_find_link(struct nl *nl, const char *name, struct stack_link *ret)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct stack_link link = { .index = 0 };
	struct nl_req q;
	int r;

	nl_req_init(&q, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&q, IFLA_IFNAME, name);
	r = nl_query(nl, &q, fill_link, &link);
	if (r == 0)
		*ret = link;
	return r;
}

const struct stack_link *stack_link(const struct stack *stack, int index)
{
	for (size_t i = 0; i < stack->links.n; i++)
		if (stack->links.items[i].index == index)
			return &stack->links.items[i];
	return NULL;
}

/* addresses */

static int take_address(const struct nlmsghdr *hdr, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(hdr);
	struct stack *s = data;
	struct stack_address *a = LIST_NEXT(s, addresses);
	const struct nlattr *attr;

	if (!a)
		return MNL_CB_OK;
	a->index = (int)ifa->ifa_index;
	a->v6 = ifa->ifa_family == AF_INET6;
	a->prefix_len = ifa->ifa_prefixlen;
	a->link_local = a->v6 && ifa->ifa_scope == RT_SCOPE_LINK;
	/* IFA_LOCAL is the own one where the two differ; IPv6 has only IFA_ADDRESS. */
	mnl_attr_for_each (attr, hdr, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !a->ip[0]))
			(void)take_ip(attr, ifa->ifa_family, a->ip);
	}
	return MNL_CB_OK;
}

/* routes and rules */

static bool route_is_for_people(const struct rtmsg *rt)
{
	return rt->rtm_table != RT_TABLE_LOCAL && rt->rtm_type != RTN_MULTICAST &&
	       rt->rtm_type != RTN_LOCAL && !(rt->rtm_flags & RTM_F_CLONED);
}

static void route_attribute(const struct nlattr *attr, const struct rtmsg *rt,
			    struct stack_route *route)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		take_net(attr, rt->rtm_family, rt->rtm_dst_len, route->to);
		break;
	case RTA_GATEWAY:
		(void)take_ip(attr, rt->rtm_family, route->via);
		break;
	case RTA_OIF:
		route->index = (int)mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		route->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_TABLE:
		route->table = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
}

static int take_route(const struct nlmsghdr *hdr, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(hdr);
	struct stack *s = data;
	struct stack_route *route = route_is_for_people(rt) ? LIST_NEXT(s, routes) : NULL;
	const struct nlattr *attr;

	if (!route)
		return MNL_CB_OK;
	route->v6 = rt->rtm_family == AF_INET6;
	route->type = rt->rtm_type;
	route->proto = rt->rtm_protocol;
	route->table = rt->rtm_table;
	(void)snprintf(route->to, sizeof(route->to), "default");
	mnl_attr_for_each (attr, hdr, sizeof(*rt))
		route_attribute(attr, rt, route);
	return MNL_CB_OK;
}

static void rule_attribute(const struct nlattr *attr, const struct fib_rule_hdr *rule,
			   struct stack_rule *ret)
{
	switch (mnl_attr_get_type(attr)) {
	case FRA_SRC:
		take_net(attr, rule->family, rule->src_len, ret->from);
		break;
	case FRA_DST:
		take_net(attr, rule->family, rule->dst_len, ret->to);
		break;
	case FRA_IIFNAME:
		take_text(attr, ret->in, sizeof(ret->in));
		break;
	case FRA_PRIORITY:
		ret->priority = mnl_attr_get_u32(attr);
		break;
	case FRA_TABLE:
		ret->table = mnl_attr_get_u32(attr);
		break;
	case FRA_FWMARK:
		ret->mark = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
}

static int take_rule(const struct nlmsghdr *hdr, void *data)
{
	const struct fib_rule_hdr *head = mnl_nlmsg_get_payload(hdr);
	struct stack *s = data;
	struct stack_rule *rule = LIST_NEXT(s, rules);
	const struct nlattr *attr;

	if (!rule)
		return MNL_CB_OK;
	rule->v6 = head->family == AF_INET6;
	rule->table = head->table;
	(void)snprintf(rule->from, sizeof(rule->from), "all");
	(void)snprintf(rule->to, sizeof(rule->to), "all");
	mnl_attr_for_each (attr, hdr, sizeof(*head))
		rule_attribute(attr, head, rule);
	return MNL_CB_OK;
}

/* neighbours */

static int take_neighbour(const struct nlmsghdr *hdr, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(hdr);
	struct stack *s = data;
	struct stack_neighbour *n;
	const struct nlattr *attr;

	if (nd->ndm_state == NUD_NONE || nd->ndm_state & NUD_NOARP)
		return MNL_CB_OK;
	n = LIST_NEXT(s, neighbours);
	if (!n)
		return MNL_CB_OK;
	n->index = nd->ndm_ifindex;
	n->state = nd->ndm_state;
	mnl_attr_for_each (attr, hdr, sizeof(*nd)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			(void)take_ip(attr, nd->ndm_family, n->ip);
		else if (mnl_attr_get_type(attr) == NDA_LLADDR)
			take_mac(attr, n->mac);
	}
	return MNL_CB_OK;
}

const char *stack_neighbour_state(uint16_t state)
{
	static const struct {
		uint16_t state;
		const char *name;
	} names[] = {
		{ NUD_PERMANENT, "permanent" },   { NUD_REACHABLE, "reachable" },
		{ NUD_STALE, "stale" },           { NUD_DELAY, "delay" },
		{ NUD_PROBE, "probe" },           { NUD_FAILED, "failed" },
		{ NUD_INCOMPLETE, "incomplete" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (state & names[i].state)
			return names[i].name;
	return "?";
}

const char *stack_route_type(uint8_t type)
{
	static const char *const names[] = {
		[RTN_UNICAST] = "unicast",
		[RTN_LOCAL] = "local",
		[RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast",
		[RTN_MULTICAST] = "multicast",
		[RTN_BLACKHOLE] = "blackhole",
		[RTN_UNREACHABLE] = "unreachable",
		[RTN_PROHIBIT] = "prohibit",
		[RTN_THROW] = "throw",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "?";
}

/* sockets */

/* The kernel prints each 32 bits of an address as a number of this machine. */
static bool parse_ip(const char *hex, char ret[INET6_ADDRSTRLEN])
{
	size_t len = strspn(hex, "0123456789ABCDEF");
	uint32_t words[4];

	if (len != 8 && len != 32)
		return false;
	for (size_t i = 0; i < len / 8; i++) {
		char word[9] = "";

		memcpy(word, hex + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	return inet_ntop(len == 8 ? AF_INET : AF_INET6, words, ret, INET6_ADDRSTRLEN);
}

#define TCP_LISTENS 10U
#define UDP_BOUND   7U /* connected ones are as an established TCP, 1 */

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 ..." */
static void parse_socket(struct stack *s, const char *line, uint8_t protocol)
{
	unsigned want = protocol == IPPROTO_TCP ? TCP_LISTENS : UDP_BOUND, port, state;
	char local[33], ip[INET6_ADDRSTRLEN];
	unsigned long inode;
	struct stack_socket *socket;

	if (sscanf(line, " %*u: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*x:%*x %*x:%*x %*x %*u %*u %lu",
		   local, &port, &state, &inode) != 4)
		return;
	if (state != want || !parse_ip(local, ip))
		return;
	socket = LIST_NEXT(s, sockets);
	if (!socket)
		return;
	socket->protocol = protocol;
	socket->port = (uint16_t)port;
	socket->inode = inode;
	memcpy(socket->ip, ip, sizeof(socket->ip));
}

/* Of the namespace that this thread is in.  A kernel without IPv6 has not all of the files. */
static void read_sockets(struct stack *s)
{
	static const struct {
		const char *file;
		uint8_t protocol;
	} files[] = {
		{ "/proc/thread-self/net/tcp", IPPROTO_TCP },
		{ "/proc/thread-self/net/tcp6", IPPROTO_TCP },
		{ "/proc/thread-self/net/udp", IPPROTO_UDP },
		{ "/proc/thread-self/net/udp6", IPPROTO_UDP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		autofree char *text = NULL;
		char *rest, *line;

		if (file_read_at(AT_FDCWD, files[i].file, PROC_NET_MAX, &text, NULL, NULL) < 0)
			continue;
		rest = text;
		while ((line = strsep(&rest, "\n")))
			parse_socket(s, line, files[i].protocol);
	}
}

static void name_socket(struct stack *s, uint64_t inode, const char *program)
{
	for (size_t i = 0; i < s->sockets.n; i++) {
		struct stack_socket *socket = &s->sockets.items[i];

		if (socket->inode == inode)
			(void)snprintf(socket->program, sizeof(socket->program), "%s", program);
	}
}

void stack_name_sockets(struct stack *s, pid_t pid)
{
	autofree char *dir = xasprintf("/proc/%d/fd", (int)pid);
	autofree char *comm = xasprintf("/proc/%d/comm", (int)pid), *program = NULL;
	DIR *fds = opendir(dir);
	const struct dirent *entry;
	size_t seen = 0;

	if (!fds)
		return;
	if (file_read_at(AT_FDCWD, comm, 64, &program, NULL, NULL) == 0)
		program[strcspn(program, "\n")] = '\0';
	while (program && (entry = readdir(fds)) && seen++ < FDS_MAX) {
		char target[64];
		unsigned long inode;
		ssize_t n = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (sscanf(target, "socket:[%lu]", &inode) == 1)
			name_socket(s, inode, program);
	}
	(void)closedir(fds);
}

/* all of it */

static int dump(struct nl *nl, uint16_t type, uint8_t family, mnl_cb_t take, struct stack *s)
{
	/* Every family's header begins with the family and fits into this. */
	const struct ifinfomsg head = { .ifi_family = family };
	size_t len = type == RTM_GETADDR   ? sizeof(struct ifaddrmsg)
		     : type == RTM_GETLINK ? sizeof(struct ifinfomsg)
					   : sizeof(struct rtmsg);
	struct nl_req q;

	nl_req_init(&q, type, NLM_F_DUMP, &head, len);
	return nl_query(nl, &q, take, s);
}

static int read_netlink(struct stack *s, struct error *err)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		mnl_cb_t take;
	} dumps[] = {
		{ RTM_GETLINK, AF_UNSPEC, take_link },
		{ RTM_GETADDR, AF_UNSPEC, take_address },
		{ RTM_GETROUTE, AF_INET, take_route },
		{ RTM_GETROUTE, AF_INET6, take_route },
		{ RTM_GETRULE, AF_INET, take_rule },
		{ RTM_GETRULE, AF_INET6, take_rule },
		{ RTM_GETNEIGH, AF_INET, take_neighbour },
		{ RTM_GETNEIGH, AF_INET6, take_neighbour },
	};
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dumps); i++) {
		r = dump(&nl, dumps[i].type, dumps[i].family, dumps[i].take, s);
		if (r == -EOPNOTSUPP || r == -EAFNOSUPPORT)
			r = 0; /* a kernel without IPv6, or without rules */
		if (r < 0)
			(void)error_sys(err, r, "list links, addresses and routes");
	}
	nl_close(&nl);
	return r;
}

static uint8_t rp_filter_of(const char *link)
{
	autofree char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/rp_filter", link);
	autofree char *text = NULL;

	if (file_read_at(AT_FDCWD, path, 16, &text, NULL, NULL) < 0 || text[0] < '0' ||
	    text[0] > '2')
		return 0;
	return (uint8_t)(text[0] - '0');
}

static const char *link_of(const struct stack *s, int index)
{
	for (size_t i = 0; i < s->links.n; i++)
		if (s->links.items[i].index == index)
			return s->links.items[i].name;
	return "";
}

static bool is_shadowed(const struct stack *s, size_t route)
{
	const struct stack_route *r = &s->routes.items[route];

	for (size_t i = 0; i < route; i++) {
		const struct stack_route *first = &s->routes.items[i];

		if (first->v6 == r->v6 && first->table == r->table && first->metric == r->metric &&
		    first->type == RTN_UNICAST && first->index != r->index &&
		    strcmp(first->to, r->to) == 0)
			return true;
	}
	return false;
}

/* Of two routes to one subnet IPv4 takes the first, always; what comes in by the other is judged by
 * rp_filter.  IPv6 takes turns.
 */
static void mark_shadowed(struct stack *s)
{
	for (size_t i = 0; i < s->routes.n; i++) {
		struct stack_route *r = &s->routes.items[i];

		if (r->v6 || r->type != RTN_UNICAST || !r->index || !is_shadowed(s, i))
			continue;
		r->shadowed = true;
		r->rp_filter = MAX(rp_filter_of("all"), rp_filter_of(link_of(s, r->index)));
	}
}

static int read_here(enum stack_depth depth, struct stack *s, struct error *err)
{
	struct stat st;
	int r;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return error_sys(err, -errno, "look at /proc/thread-self/ns/net");
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	r = read_netlink(s, err);
	if (r == 0) {
		if (depth == STACK_WHOLE)
			read_sockets(s);
		mark_shadowed(s);
	}
	return r;
}

int stack_read(int netns_fd, enum stack_depth depth, struct stack *ret, struct error *err)
{
	autoclose int home = -1;
	struct stack s = { .ino = 0 };
	int r;

	if (netns_fd >= 0) {
		home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (home < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
			return error_sys(err, -errno, "enter a network namespace");
	}
	r = read_here(depth, &s, err);
	if (home >= 0 && setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	if (r < 0)
		stack_done(&s);
	else
		*ret = s;
	return r;
}

static int take_nsid(const struct nlmsghdr *hdr, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, hdr, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID)
			*(int *)data = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

int stack_nsid(int home_fd, int netns_fd, int *ret, struct error *err)
{
	const struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	const uint32_t fd = (uint32_t)netns_fd;
	autoclose int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl nl = { 0 };
	struct nl_req q;
	int r;

	if (here < 0 || (home_fd >= 0 && setns(home_fd, CLONE_NEWNET) < 0))
		return error_sys(err, -errno, "enter a network namespace");
	r = nl_open(&nl, err);
	if (home_fd >= 0 && setns(here, CLONE_NEWNET) < 0)
		abort();
	if (r < 0)
		return r;
	nl_req_init(&q, RTM_GETNSID, 0, &head, sizeof(head));
	nl_put_u32(&q, NETNSA_FD, fd);
	*ret = -1;
	r = nl_query(&nl, &q, take_nsid, ret);
	nl_close(&nl);
	return r < 0 ? error_sys(err, r, "ask for the number of a network namespace") : 0;
}

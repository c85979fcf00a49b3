/* src/why/place.c */
#include "why/place.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "kernel/netlink.h"
#include "kernel/netns_list.h"
#include "why/inside.h"
#include "why/load.h"
#include "why/trace.h"

static void place_done(struct place *p)
{
	tracer_close(p->tracer);
	stack_done(&p->stack);
	if (p->has_rules)
		ruleset_done(&p->rules);
	if (p->fd >= 0)
		(void)close(p->fd);
	free(p->name);
	free(p->path);
}

void places_done(struct places *p)
{
	for (size_t i = 0; i < p->n; i++)
		place_done(&p->items[i]);
	free(p->items);
	*p = (struct places) { 0 };
}

int places_find(struct places *p, int netns_fd, const char *path, const char *name, size_t *ret,
		struct error *err)
{
	struct place place = { .fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 3) };
	struct stat st;
	int r;

	if (place.fd < 0 || fstat(place.fd, &st) < 0) {
		r = error_sys(err, -errno, "look at the network namespace of %s", name);
		place_done(&place);
		return r;
	}
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].ino == st.st_ino) {
			place_done(&place);
			*ret = i;
			return 0;
		}
	r = stack_read(place.fd, STACK_WITHOUT_SOCKETS, &place.stack, err);
	if (r < 0) {
		place_done(&place);
		return r;
	}
	place.ino = st.st_ino;
	place.name = xstrdup(name);
	place.path = xstrdup_or_null(path);
	VEC_GROW(p->items, p->n, p->room);
	*ret = p->n;
	p->items[p->n++] = place;
	return 0;
}

int places_read(struct places *ret, struct error *err)
{
	autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct netns_list list = { 0 };
	struct places p = { 0 };
	size_t at;
	int r = home < 0 ? error_sys(err, -errno, "open this network namespace")
			 : places_find(&p, home, NULL, "this host", &at, err);

	if (r < 0)
		return r;
	process_allow_descriptors(); /* each place takes two */
	netns_list_read(&list);
	p.is_cut = list.n >= PLACES_MAX;
	for (size_t i = 0; i < list.n && p.n < PLACES_MAX; i++) {
		autoclose int fd = open(list.items[i].path, O_RDONLY | O_CLOEXEC);

		/* One that may not be looked at, or is gone, is no way that we could follow. */
		if (fd >= 0)
			ignore_result(places_find(&p, fd, list.items[i].path, list.items[i].name,
						  &at, NULL));
	}
	netns_list_done(&list);
	*ret = p;
	return 0;
}

int places_with(const struct places *p, const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->items[i].stack.addresses.n; k++)
			if (strcmp(p->items[i].stack.addresses.items[k].ip, text) == 0)
				return (int)i;
	return -ENOENT;
}

const struct ruleset *place_rules(struct place *p)
{
	char warning[LOAD_WARNING_LEN];

	if (!p->has_rules && !p->has_asked)
		p->has_rules = load_live(&p->rules, p->path ? p->fd : -1, warning, NULL) == 0;
	p->has_asked = true;
	return p->has_rules ? &p->rules : NULL;
}

const char *place_link(const struct place *p, int index)
{
	const struct stack_link *link = stack_link(&p->stack, index);

	return link ? link->name : "?";
}

struct sysctl {
	const char *path;
	int value;
};

static int read_sysctl(void *data, struct error *err)
{
	struct sysctl *s = data;
	autofree char *path = xasprintf("/proc/sys/net/%s", s->path);
	autofree char *text = NULL;
	int r = file_read_at(AT_FDCWD, path, 64, &text, NULL, err);

	if (r == 0)
		s->value = (int)strtol(text, NULL, 10);
	return r;
}

int place_sysctl(const struct place *p, const char *path)
{
	struct sysctl s = { path, -1 };

	ignore_result(inside(p->path ? p->fd : -1, read_sysctl, &s, NULL));
	return s.value;
}

/* routes */

struct question {
	const struct ip *to;
	struct place_route *ret;
};

static int take_route(const struct nlmsghdr *hdr, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(hdr);
	struct place_route *ret = data;
	const struct nlattr *a;

	ret->type = rtm->rtm_type;
	mnl_attr_for_each (a, hdr, sizeof(*rtm)) {
		if (mnl_attr_get_type(a) == RTA_OIF)
			ret->index = (int)mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == RTA_GATEWAY &&
		    mnl_attr_get_payload_len(a) <= sizeof(ret->via.bytes)) {
			ret->via.family = rtm->rtm_family;
			memcpy(ret->via.bytes, mnl_attr_get_payload(a),
			       mnl_attr_get_payload_len(a));
		}
	}
	return MNL_CB_OK;
}

static int ask_route(void *data, struct error *err)
{
	const struct question *question = data;
	const struct rtmsg head = { .rtm_family = question->to->family,
				    .rtm_dst_len = (unsigned char)(8 * ip_len(question->to)) };
	struct nl nl = { 0 };
	struct nl_req q;
	int r = nl_open(&nl, err);

	if (r < 0)
		return r;
	nl_req_init(&q, RTM_GETROUTE, 0, &head, sizeof(head));
	nl_put(&q, RTA_DST, question->to->bytes, ip_len(question->to));
	r = nl_query(&nl, &q, take_route, question->ret);
	nl_close(&nl);
	if (r < 0)
		question->ret->error = -r;
	return 0;
}

struct place_route place_route(const struct place *p, const struct ip *to)
{
	struct place_route route = { 0 };
	struct question question = { to, &route };

	ignore_result(inside(p->path ? p->fd : -1, ask_route, &question, NULL));
	return route;
}

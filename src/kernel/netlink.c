/* src/kernel/netlink.c */
#include "kernel/netlink.h"

#include <string.h>

#define ANSWER_MAX 32768 /* what the kernel sends at once in a dump */

int nl_open(struct nl *ret, struct error *err)
{
	return nl_open_to(ret, NETLINK_ROUTE, err);
}

int nl_open_to(struct nl *ret, int subsystem, struct error *err)
{
	*ret = (struct nl) { .sock = mnl_socket_open2(subsystem, SOCK_CLOEXEC) };
	if (!ret->sock || mnl_socket_bind(ret->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = error_sys(err, -errno, "open a netlink socket");

		nl_close(ret);
		return r;
	}
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		(void)mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

void nl_req_init(struct nl_req *q, uint16_t type, uint16_t flags, const void *family, size_t len)
{
	q->r = 0;
	memset(q->bytes, 0, 256);
	q->hdr = mnl_nlmsg_put_header(q->bytes);
	q->hdr->nlmsg_type = type;
	q->hdr->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(q->hdr, len), family, len);
}

void nl_put(struct nl_req *q, uint16_t type, const void *data, size_t len)
{
	if (q->r == 0 && !mnl_attr_put_check(q->hdr, sizeof(q->bytes), type, len, data))
		q->r = -EMSGSIZE;
}

void nl_put_str(struct nl_req *q, uint16_t type, const char *text)
{
	nl_put(q, type, text, strlen(text) + 1);
}

void nl_put_u32(struct nl_req *q, uint16_t type, uint32_t value)
{
	nl_put(q, type, &value, sizeof(value));
}

struct nlattr *nl_nest(struct nl_req *q, uint16_t type)
{
	struct nlattr *nest = NULL;

	if (q->r == 0)
		nest = mnl_attr_nest_start_check(q->hdr, sizeof(q->bytes), type);
	if (!nest && q->r == 0)
		q->r = -EMSGSIZE;
	return nest;
}

void nl_nest_end(struct nl_req *q, struct nlattr *nest)
{
	if (q->r == 0)
		mnl_attr_nest_end(q->hdr, nest);
}

void nl_put_head(struct nl_req *q, const void *head, size_t len)
{
	if (q->r == 0 && q->hdr->nlmsg_len + MNL_ALIGN(len) > sizeof(q->bytes))
		q->r = -EMSGSIZE;
	if (q->r == 0)
		memcpy(mnl_nlmsg_put_extra_header(q->hdr, len), head, len);
}

static int exchange(struct nl *nl, struct nl_req *q, mnl_cb_t fn, void *data)
{
	alignas(struct nlmsghdr) char answer[ANSWER_MAX];
	unsigned portid = mnl_socket_get_portid(nl->sock);
	ssize_t n;
	int r;

	if (q->r < 0)
		return q->r;
	q->hdr->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, q->hdr, q->hdr->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(nl->sock, answer, sizeof(answer));
		if (n < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)n, nl->seq, portid, fn, data);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

int nl_call(struct nl *nl, struct nl_req *q)
{
	q->hdr->nlmsg_flags |= NLM_F_ACK;
	return exchange(nl, q, NULL, NULL);
}

int nl_query(struct nl *nl, struct nl_req *q, mnl_cb_t fn, void *data)
{
	if (!(q->hdr->nlmsg_flags & NLM_F_DUMP))
		q->hdr->nlmsg_flags |= NLM_F_ACK;
	return exchange(nl, q, fn, data);
}

/* src/kernel/netlink.h - one request to rtnetlink, and the kernel's verdict; rtnetlink(7).
 *
 * The builder remembers its first failure, the way a stream does; nl_call() reports it.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdalign.h>
#include <stdint.h>

#include "base/error.h"

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
};

struct nl_req {
	struct nlmsghdr *hdr;
	int r; /* first failure while building */
	alignas(struct nlmsghdr) char bytes[4096];
};

/* A socket belongs to the network namespace that it was opened in, wherever its process goes. */
int nl_open(struct nl *ret, struct error *err) must_check;
/* The same for another subsystem than rtnetlink: NETLINK_NETFILTER. */
int nl_open_to(struct nl *ret, int subsystem, struct error *err) must_check;
void nl_close(struct nl *nl);

/* family is the message's own header: struct ifinfomsg, ifaddrmsg, rtmsg. */
void nl_req_init(struct nl_req *q, uint16_t type, uint16_t flags, const void *family, size_t len);
void nl_put(struct nl_req *q, uint16_t type, const void *data, size_t len);
void nl_put_str(struct nl_req *q, uint16_t type, const char *text);
void nl_put_u32(struct nl_req *q, uint16_t type, uint32_t value);
struct nlattr *nl_nest(struct nl_req *q, uint16_t type);
void nl_nest_end(struct nl_req *q, struct nlattr *nest);
void nl_put_head(struct nl_req *q, const void *head, size_t len); /* a bare struct inside a nest */

/* Sends and waits for the acknowledgement; no text of its own, the caller knows what it was. */
int nl_call(struct nl *nl, struct nl_req *q) must_check;
/* The same for a query: fn gets each answer, and returns MNL_CB_OK or MNL_CB_STOP. */
int nl_query(struct nl *nl, struct nl_req *q, mnl_cb_t fn, void *data) must_check;

#endif

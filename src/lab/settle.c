/* src/lab/settle.c - when a lab's bridges have come to rest. */
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "kernel/netlink.h"
#include "lab/facts.h"
#include "lab/observe.h"

#define TREE_MS 20000 /* far more than two forward delays and an election take */

/* Spanning tree: who says that a port's state changed. */
static int open_events(void *data, struct error *err)
{
	struct nl *nl = data;
	int r = nl_open(nl, err), group = RTNLGRP_LINK;

	if (r == 0 &&
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		r = error_sys(err, -errno, "listen for changes of links");
		nl_close(nl);
	}
	return r;
}

/* -EAGAIN: a port of it is neither forwarding nor blocking. */
static int look(struct lab *lab, size_t node, struct error *err)
{
	const struct facts_node *n;
	struct facts f;
	int r;

	facts_init(&f, lab);
	r = facts_node(&f, node, &n, err);
	for (size_t i = 0; r == 0 && i < n->n_links; i++)
		if (n->links[i].master && (n->links[i].stp_state == BR_STATE_LISTENING ||
					   n->links[i].stp_state == BR_STATE_LEARNING))
			r = -EAGAIN;
	facts_done(&f);
	return r;
}

static int wait_for(struct lab *lab, size_t node, int64_t end, struct error *err)
{
	struct nl nl;
	int r = lab_inside(lab, node, open_events, &nl, err);
	char bytes[16384];

	if (r < 0)
		return r;
	for (;;) {
		struct pollfd p = { .fd = mnl_socket_get_fd(nl.sock), .events = POLLIN };
		int64_t left = end - clock_monotonic_ms();

		r = look(lab, node, err);
		if (r != -EAGAIN || left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		(void)mnl_socket_recvfrom(nl.sock, bytes, sizeof(bytes));
	}
	nl_close(&nl);
	return r == -EAGAIN ? 0 : r;
}

int bridges_wait(struct lab *lab, struct error *err)
{
	int64_t end = clock_monotonic_ms() + TREE_MS;
	int r = 0;

	for (size_t i = 0; r == 0 && i < lab->topology->n_nodes; i++)
		if (lab->topology->nodes[i].stp)
			r = wait_for(lab, i, end, err);
	return r;
}

bool topology_may_loop(const struct topology *t)
{
	size_t cables = 0, bridges = 0;

	for (size_t i = 0; i < t->n_nodes; i++)
		bridges += node_is_bridge(&t->nodes[i]);
	for (size_t i = 0; i < t->n_links; i++)
		cables += node_is_bridge(&t->nodes[t->links[i].ends[0].node]) &&
			  node_is_bridge(&t->nodes[t->links[i].ends[1].node]);
	return bridges > 0 && cables >= bridges;
}

/* src/kernel/netem.c */
#include "kernel/netem.h"

#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/explain.h"
#include "kernel/netlink.h"
#include "kernel/wire.h"

#define LIMIT    1000 /* frames that wait, as tc(8) has it */
#define LO_INDEX 1

static void put_options(struct nl_req *q, const struct netem *n)
{
	const struct tc_netem_qopt qopt = {
		.limit = LIMIT, .loss = (uint32_t)((uint64_t)n->loss_ppm * UINT32_MAX / 1000000)
	};
	const int64_t delay_ns = (int64_t)n->delay_us * 1000,
		      jitter_ns = (int64_t)n->jitter_us * 1000;
	const uint64_t bytes = n->rate_bps / 8;
	const struct tc_netem_rate rate = { .rate = (uint32_t)MIN(bytes, UINT32_MAX) };
	struct nlattr *options = nl_nest(q, TCA_OPTIONS);

	nl_put_head(q, &qopt, sizeof(qopt));
	nl_put(q, TCA_NETEM_LATENCY64, &delay_ns, sizeof(delay_ns));
	nl_put(q, TCA_NETEM_JITTER64, &jitter_ns, sizeof(jitter_ns));
	if (bytes)
		nl_put(q, TCA_NETEM_RATE, &rate, sizeof(rate));
	if (bytes > UINT32_MAX)
		nl_put(q, TCA_NETEM_RATE64, &bytes, sizeof(bytes));
	nl_nest_end(q, options);
}

static int add(struct nl *nl, int index, const struct netem *netem)
{
	const struct tcmsg tc = { .tcm_family = AF_UNSPEC,
				  .tcm_ifindex = index,
				  .tcm_parent = TC_H_ROOT };
	struct nl_req q;

	nl_req_init(&q, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &tc, sizeof(tc));
	nl_put_str(&q, TCA_KIND, "netem");
	put_options(&q, netem);
	return nl_call(nl, &q);
}

static bool narrate(const struct wire_place *at, const char *name, const struct netem *n)
{
	struct buf text = BUF_INIT(200);
	bool dry;

	if (n->delay_us)
		buf_addf(&text, " delay %uus", n->delay_us);
	if (n->jitter_us)
		buf_addf(&text, " %uus", n->jitter_us);
	if (n->loss_ppm)
		buf_addf(&text, " loss %u.%04u%%", n->loss_ppm / 10000, n->loss_ppm % 10000);
	if (n->rate_bps)
		buf_addf(&text, " rate %llubit", (unsigned long long)n->rate_bps);
	dry = explain("a worse cable", "tc -n %s qdisc add dev %s root netem limit %d%s",
		      sq(at->name), sq(name), LIMIT, buf_text(&text));
	buf_done(&text);
	return dry;
}

int netem_add(const struct wire_place *at, int index, const char *name, const struct netem *netem,
	      struct error *err)
{
	int r;

	if (narrate(at, name, netem))
		return 0;
	r = add(at->nl, index, netem);
	return r < 0 ? error_sys(err, r, "let %s of %s delay or lose frames", name, at->name) : 0;
}

bool netem_is_known(void)
{
	const struct netem some = { .delay_us = 1 };
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl nl = { .sock = NULL };
	bool known = true;

	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		return true;
	if (nl_open(&nl, NULL) == 0)
		known = add(&nl, LO_INDEX, &some) == 0;
	nl_close(&nl);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	return known;
}

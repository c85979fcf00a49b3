/* src/kernel/qdisc.c */
#include "kernel/qdisc.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/explain.h"
#include "kernel/netlink.h"

#define BURST_MIN (32U << 10) /* bytes; a bucket must hold the largest packet */
#define BURST_MAX (64U << 20)
#define LATENCY   10 /* 1/10 s: how long a packet waits at most, beside a bucketful */

int qdisc_limit(struct nl *nl, int index, const char *name, uint64_t rate, const char *where,
		struct error *err)
{
	const struct tcmsg tc = { .tcm_family = AF_UNSPEC,
				  .tcm_ifindex = index,
				  .tcm_parent = TC_H_ROOT };
	uint64_t bytes = rate / 8;
	uint32_t burst = (uint32_t)MIN(MAX(bytes / 100, BURST_MIN), BURST_MAX);
	struct tc_tbf_qopt qopt = { .limit =
					    2 * burst + (uint32_t)MIN(bytes / LATENCY, BURST_MAX) };
	struct nlattr *options;
	struct nl_req q;
	int r;

	if (explain("no faster than it may be",
		    "%stc qdisc replace dev %s root tbf rate %lubit "
		    "burst %u limit %u",
		    where, sq(name), rate, burst, qopt.limit))
		return 0;
	qopt.rate.linklayer = TC_LINKLAYER_ETHERNET; /* else a table of times is asked for */
	qopt.rate.rate = (uint32_t)MIN(bytes, UINT32_MAX);
	nl_req_init(&q, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &tc, sizeof(tc));
	nl_put_str(&q, TCA_KIND, "tbf");
	options = nl_nest(&q, TCA_OPTIONS);
	nl_put(&q, TCA_TBF_PARMS, &qopt, sizeof(qopt));
	if (bytes > UINT32_MAX)
		nl_put(&q, TCA_TBF_RATE64, &bytes, sizeof(bytes));
	nl_put_u32(&q, TCA_TBF_BURST, burst);
	nl_nest_end(&q, options);
	r = nl_call(nl, &q);
	if (r == -ENOENT || r == -EOPNOTSUPP)
		return error_set(
			err, r,
			"limit link %s: this kernel has no token bucket; 'modprobe sch_tbf' "
			"may bring it",
			name);
	return r < 0 ? error_sys(err, r, "limit link %s", name) : 0;
}

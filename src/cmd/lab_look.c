/* src/cmd/lab_look.c - strake-lab domains, matrix, path, ping. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_look_options.h"
#include "cmd/lab_print.h"
#include "lab/diagnose.h"
#include "lab/matrix.h"
#include "lab/outage.h"
#include "lab/path.h"

#define STATUS_FAILED 1

void lab_print_json(json_t *doc)
{
	(void)json_dumpf(doc, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(doc);
}

/* domains */

static int domains_run(const void *globals, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct globals *g = globals;
	const struct lab_json_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	struct domains d = { .topology = NULL };
	int r = lab_open(g->run_root, argv[0], &lab, err);

	(void)argc;
	if (r == 0)
		r = domains_observe(lab, &d, err);
	if (r < 0)
		return r;
	if (args->json)
		lab_print_json(domains_json(&d));
	else
		domains_print(&d, stdout);
	r = d.storm ? STATUS_FAILED : 0;
	domains_done(&d);
	return r;
}

const struct cmd cmd_lab_domains = {
	.name = "domains",
	.operands = "LAB",
	.help = "Find who hears whom",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = domains_run,
};

/* matrix */

static int matrix_run(const void *globals, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct globals *g = globals;
	const struct lab_matrix_args *args = data;
	unsigned flags = (args->all ? MATRIX_ALL : 0U) | (args->v6 ? MATRIX_IPV6 : 0U);
	cleanup(lab_cleanup) struct lab *lab = NULL;
	struct matrix m = { .n = 0 };
	int r = lab_open(g->run_root, argv[0], &lab, err);

	(void)argc;
	if (r == 0)
		r = matrix_observe(lab, flags, &m, err);
	if (r < 0)
		return r;
	if (args->json)
		lab_print_json(matrix_json(&m));
	else
		matrix_print(&m, stdout);
	r = m.n_failed || m.n_unresolved ? STATUS_FAILED : 0;
	matrix_done(&m);
	return r;
}

const struct cmd cmd_lab_matrix = {
	.name = "matrix",
	.operands = "LAB",
	.help = "Try every pair of hosts, and say why one fails",
	.opts = lab_matrix_opts,
	.args_size = sizeof(struct lab_matrix_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = matrix_run,
};

/* path and ping */

/* "h2", "h2:eth1" or an address. */
static int find_target(struct diagnosis *d, const char *text, struct question *q, struct error *err)
{
	const struct topology *t = d->lab->topology;
	struct ip_net net;
	struct link_end end;
	int r;

	q->to = NO_INDEX;
	if (ip_parse(text, &q->target) == 0)
		return 0;
	if (strchr(text, ':')) {
		const struct interface *i;

		r = topology_find_end(t, text, &end, err);
		if (r < 0)
			return r;
		i = link_end_interface(t, &end);
		if (i->n_addresses == 0)
			return error_set(err, -EINVAL, "%s has no address in the file", text);
		q->to = end.node;
		q->target = i->addresses[0].ip;
		return 0;
	}
	r = topology_need_node(t, text, &q->to, err);
	if (r < 0)
		return r;
	if (!node_address_for(&d->facts, q->from, q->to, AF_INET, &net))
		return error_set(err, -EINVAL,
				 "%s has no IP address; 'strake lab send' sends frames to it",
				 text);
	q->target = net.ip;
	return 0;
}

static int find_question(struct diagnosis *d, char **argv, struct question *q, struct error *err)
{
	int r = topology_need_node(d->lab->topology, argv[1], &q->from, err);

	return r < 0 ? r : find_target(d, argv[2], q, err);
}

static int path_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	const struct lab_json_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	struct question q = { .from = NO_INDEX };
	struct verdict v = { .cause = CAUSE_NONE };
	struct diagnosis d;
	struct path p;
	int r = lab_open(g->run_root, argv[0], &lab, err);

	(void)argc;
	if (r < 0)
		return r;
	diagnosis_init(&d, lab);
	r = find_question(&d, argv, &q, err);
	if (r == 0)
		r = path_observe(lab, q.from, &q.target, NULL, true, &p, err);
	if (r == 0 && !p.ping.answered)
		r = diagnose(&d, &q, &v, err);
	if (r == 0) {
		if (args->json)
			lab_print_json(path_json(&p));
		else
			path_print(&p, stdout);
		if (!p.ping.answered && !args->json)
			(void)printf("%s\n", v.text);
		r = p.ping.answered ? 0 : STATUS_FAILED;
		path_done(&p);
	}
	diagnosis_done(&d);
	return r;
}

const struct cmd cmd_lab_path = {
	.name = "path",
	.operands = "LAB NODE TARGET",
	.help = "Follow one ping through the lab, frame by frame",
	.opts = lab_json_opts,
	.args_size = sizeof(struct lab_json_args),
	.min_operands = 3,
	.max_operands = 3,
	.run_alone = path_run,
};

static void print_ping(const struct lab *lab, const struct ping *p, const struct verdict *v)
{
	char text[IP_TEXT_LEN];

	ip_format(&p->to, text);
	if (p->answered)
		(void)printf("%s -> %s: answered in %.2f ms, TTL %u\n",
			     lab->topology->nodes[p->from].name, text, (double)p->rtt_ns / 1e6,
			     p->ttl);
	else
		(void)printf("%s -> %s: no answer: %s\n", lab->topology->nodes[p->from].name, text,
			     v->text);
}

static json_t *ping_json(const struct lab *lab, const struct ping *p, const struct verdict *v)
{
	char text[IP_TEXT_LEN];
	json_t *o;

	ip_format(&p->to, text);
	o = json_pack("{s:s, s:s, s:b}", "from", lab->topology->nodes[p->from].name, "to", text,
		      "reached", p->answered);
	if (p->answered) {
		(void)json_object_set_new(o, "ttl", json_integer(p->ttl));
		(void)json_object_set_new(o, "ms", json_real((double)p->rtt_ns / 1e6));
	} else {
		(void)json_object_set_new(o, "cause", json_string(cause_name(v->cause)));
		(void)json_object_set_new(o, "text", json_string(v->text));
	}
	return o;
}

static int ping_once(struct diagnosis *d, struct prober *prober, const struct question *q,
		     const struct lab_ping_args *args, struct error *err)
{
	const struct ping_how how = { .size = (unsigned)args->size,
				      .dont_fragment = args->dont_fragment };
	struct ping p = { .from = q->from, .to = q->target };
	struct verdict v = { .cause = CAUSE_NONE };
	int r = 0;

	prober_run(prober, &p, 1, &how);
	if (!p.answered)
		r = diagnose(d, q, &v, err);
	if (r < 0)
		return r;
	if (args->json)
		lab_print_json(ping_json(d->lab, &p, &v));
	else
		print_ping(d->lab, &p, &v);
	return p.answered ? 0 : STATUS_FAILED;
}

/* While a command does something to the lab. */
static int ping_meanwhile(struct diagnosis *d, const struct question *q,
			  const struct lab_ping_args *args, struct error *err)
{
	struct outage o = { .from = q->from, .to = q->target, .command = args->command };
	const char *from = d->lab->topology->nodes[q->from].name;
	char to[IP_TEXT_LEN];
	int r = outage_watch(d->lab, &o, err);

	if (r < 0)
		return r;
	ip_format(&o.to, to);
	if (args->json)
		lab_print_json(json_pack("{s:s, s:s, s:b, s:I, s:i, s:i, s:i}", "from", from, "to",
					 to, "reached", o.is_back, "lostMs",
					 (json_int_t)o.longest_ms, "sent", (int)o.sent, "answered",
					 (int)o.answered, "status", o.status));
	else if (!o.is_back)
		(void)printf("%s -> %s: no answer any more, for %lld ms\n", from, to,
			     (long long)o.longest_ms);
	else if (o.longest_ms == 0)
		(void)printf("%s -> %s: all answered, one every %d ms\n", from, to,
			     OUTAGE_EVERY_MS);
	else
		(void)printf("%s -> %s: no answer for %lld ms, %u of %u lost\n", from, to,
			     (long long)o.longest_ms, o.sent - o.answered, o.sent);
	return o.is_back && o.status == 0 ? 0 : STATUS_FAILED;
}

static int ping_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	const struct lab_ping_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	cleanup(prober_cleanup) struct prober *prober = NULL;
	struct question q = { .from = NO_INDEX };
	struct diagnosis d;
	int r, status = 0;

	(void)argc;
	if (args->times < 0 || args->size < 0 || args->size > 65535)
		return error_set(err, -EINVAL, "--%s: expected a number from 1 to %d",
				 args->times < 0 ? "count" : "size",
				 args->times < 0 ? INT32_MAX : 65535);
	r = lab_open(g->run_root, argv[0], &lab, err);
	if (r < 0)
		return r;
	diagnosis_init(&d, lab);
	r = find_question(&d, argv, &q, err);
	q.size = args->dont_fragment ? (unsigned)args->size : 0;
	if (r == 0 && args->command) {
		r = ping_meanwhile(&d, &q, args, err);
		diagnosis_done(&d);
		return r;
	}
	if (r == 0)
		r = prober_open(lab, NULL, &prober, err);
	for (int i = 0; r >= 0 && i < MAX(args->times, 1); i++) {
		r = ping_once(&d, prober, &q, args, err);
		status = MAX(status, r);
	}
	diagnosis_done(&d);
	return r < 0 ? r : status;
}

const struct cmd cmd_lab_ping = {
	.name = "ping",
	.operands = "LAB NODE TARGET",
	.help = "Send an echo request from a node, and say why none is answered",
	.opts = lab_ping_opts,
	.args_size = sizeof(struct lab_ping_args),
	.min_operands = 3,
	.max_operands = 3,
	.run_alone = ping_run,
};

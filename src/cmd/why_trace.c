/* src/cmd/why_trace.c - strake why A B: a packet is sent and followed. */
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/json.h"
#include "base/number.h"
#include "cmd/globals_engine.h"
#include "cmd/why_open.h"
#include "cmd/why_options.h"
#include "engine/network_view.h"
#include "why/journey.h"
#include "why/judge.h"
#include "why/tell.h"
#include "why/trail.h"

#define WATCH_S 60

extern const struct cmd cmd_why_trace;

struct asked {
	const void *globals;
	const struct why_trace_args *args;
	char *from, *to; /* as typed, without port */
	struct probe_plan plan;
	struct journey_options options;
};

static int number_option(const char *name, const char *text, uint64_t max, uint64_t *ret,
			 struct error *err)
{
	if (text && (number_parse(text, max, ret) < 0 || *ret == 0))
		return error_set(err, -EINVAL, "--%s wants a number from 1 to %llu, not '%.40s'",
				 name, (unsigned long long)max, text);
	return 0;
}

static int read_numbers(struct asked *a, struct error *err)
{
	uint64_t seconds = a->args->watch ? WATCH_S : 1, count = 1, size = 0, ttl = 0;
	int r = number_option("timeout", a->args->timeout, 3600, &seconds, err);

	if (r == 0)
		r = number_option("count", a->args->count, 100, &count, err);
	if (r == 0)
		r = number_option("size", a->args->size, 65000, &size, err);
	if (r == 0)
		r = number_option("ttl", a->args->ttl, 255, &ttl, err);
	a->options = (struct journey_options) { (unsigned)count, (unsigned)seconds * 1000,
						a->args->watch };
	a->plan.size = (unsigned)size;
	a->plan.ttl = (uint8_t)ttl;
	return r;
}

/* operands */

static int read_protocol(struct asked *a, const char *name, struct error *err)
{
	if (strcmp(name, "udp") == 0)
		a->plan.protocol = IPPROTO_UDP;
	else if (strcmp(name, "icmp") == 0)
		a->plan.protocol = IPPROTO_ICMP;
	else if (strcmp(name, "tcp") != 0)
		return error_set(err, -EINVAL,
				 "'%.40s' is no protocol that can be tried: tcp, udp, icmp", name);
	return 0;
}

/* "10.0.0.1:80/tcp", "[fd00::1]:80", "web:80" */
static int read_target(struct asked *a, const char *text, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *slash = strrchr(copy, '/'), *colon, *name = copy;
	uint64_t port = 0;
	int r = 0;

	if (slash) {
		*slash = '\0';
		r = read_protocol(a, slash + 1, err);
	}
	colon = strrchr(copy, ':');
	if (copy[0] == '[') {
		char *end = strchr(copy, ']');

		if (!end)
			return error_set(err, -EINVAL, "'%.60s': the bracket is not closed", text);
		*end = '\0';
		name++;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon && strchr(copy, ':') != colon) {
		colon = NULL; /* an IPv6 address */
	}
	if (r == 0 && colon) {
		*colon = '\0';
		if (number_parse(colon + 1, 65535, &port) < 0 || port == 0)
			r = error_set(err, -EINVAL, "'%.60s': behind the colon there is no port",
				      text);
	}
	a->plan.port = (uint16_t)port;
	a->to = xstrdup(name);
	if (r == 0 && port == 0 && a->plan.protocol != IPPROTO_ICMP)
		r = error_set(err, -EINVAL, "'%.60s' has no port; --icmp asks without one", text);
	return r;
}

/* One operand with an arrow in it is two. */
static int read_operands(struct asked *a, int argc, char **argv, struct error *err)
{
	const char *last = argv[argc - 1], *arrow = argc == 1 ? strstr(last, "->") : NULL;

	if (a->args->icmp && a->args->udp)
		return error_set(err, -EINVAL, "--icmp and --udp exclude each other");
	a->plan.protocol = a->args->icmp ? IPPROTO_ICMP : a->args->udp ? IPPROTO_UDP : IPPROTO_TCP;
	if (argc == 3 && strcmp(argv[1], "->") != 0)
		return error_set(err, -EINVAL, "wants FROM TO, not three words");
	if (arrow) {
		a->from = xstrndup(last, strcspn(last, " -"));
		last = arrow + 2 + strspn(arrow + 2, " ");
	} else if (argc > 1) {
		a->from = xstrdup(argv[0]);
	}
	return read_target(a, last, err);
}

/* who is meant */

static int find_container(const struct asked *a, const char *name, char **ret_path,
			  struct error *err)
{
	struct engine *engine = NULL;
	pid_t pid;
	int r = globals_open(a->globals, &cmd_why_trace, &engine, err);

	if (r < 0)
		return r;
	r = network_view_find(engine, name, ret_path, &pid, err);
	engine_close(engine);
	return r;
}

/* A container, "host", or a namespace of ip-netns(8) or by its file. */
static int find_place(const struct asked *a, struct places *places, const char *name, size_t *ret,
		      struct error *err)
{
	autofree char *path = NULL, *netns = xasprintf("/run/netns/%s", name);
	autofree char *title = NULL;
	autoclose int fd = -1;
	int r = 0;

	if (strcmp(name, "host") == 0) {
		*ret = 0;
		return 0;
	}
	if (strchr(name, '/'))
		path = xstrdup(name);
	else if (access(netns, F_OK) == 0)
		path = steal_ptr(&netns);
	else
		r = find_container(a, name, &path, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "open the network namespace %s", path);
	title = netns ? xasprintf("container %s", name) : xasprintf("netns %s", name);
	r = places_find(places, fd, path, strchr(name, '/') ? name : title, ret, err);
	if (r == 0 && netns && !strchr(name, '/')) {
		free(places->items[*ret].name);
		places->items[*ret].name = steal_ptr(&title);
	}
	return r;
}

/* The first address of a place that is on no loopback. */
static int address_of(const struct place *p, bool v6, struct ip *ret)
{
	for (size_t i = 0; i < p->stack.addresses.n; i++) {
		const struct stack_address *at = &p->stack.addresses.items[i];
		struct ip ip;

		if (at->v6 == v6 && !at->link_local && ip_parse(at->ip, &ip) == 0 &&
		    !ip_is_loopback(&ip)) {
			*ret = ip;
			return 0;
		}
	}
	return -ENOENT;
}

static int resolve_target(struct asked *a, struct places *places, struct error *err)
{
	size_t place = 0;
	int r;

	if (ip_parse(a->to, &a->plan.to) == 0)
		return 0;
	r = find_place(a, places, a->to, &place, err);
	if (r < 0)
		return r;
	if (address_of(&places->items[place], false, &a->plan.to) < 0 &&
	    address_of(&places->items[place], true, &a->plan.to) < 0)
		return error_set(err, -ENOENT, "%s has no address", a->to);
	return 0;
}

static int resolve_source(struct asked *a, struct places *places, size_t *ret, struct error *err)
{
	struct ip ip;
	int found;

	*ret = 0;
	if (a->from && ip_parse(a->from, &ip) == 0) {
		if (ip.family != a->plan.to.family)
			return error_set(err, -EINVAL, "the two addresses are of two families");
		a->plan.from = ip;
	}
	if (a->args->from)
		return find_place(a, places, a->args->from, ret, err);
	if (!a->from || a->options.watch)
		return 0;
	if (!ip_is_set(&a->plan.from))
		return find_place(a, places, a->from, ret, err);
	found = places_with(places, &ip);
	if (found < 0)
		return error_set(err, -ENOENT,
				 "no network here has the address %s: --watch waits for its packet",
				 a->from);
	*ret = (size_t)found;
	return 0;
}

static int draw(const char *file, struct journey *j, const struct judgement *g, struct error *err)
{
	struct trail trail;
	int r;

	trail_make(j, g, &trail);
	r = why_draw(file, trail.pictures, trail.n, err);
	trail_done(&trail);
	return r;
}

static int follow(struct asked *a, struct error *err)
{
	struct journey j = { .plan = &a->plan, .probe = PROBE_INIT };
	struct judgement g;
	int r = places_read(&j.places, err);

	if (r == 0)
		r = resolve_target(a, &j.places, err);
	if (r == 0)
		r = resolve_source(a, &j.places, &j.from, err);
	if (r == 0 && a->plan.protocol == IPPROTO_ICMP && a->plan.to.family == AF_INET6)
		a->plan.protocol = IPPROTO_ICMPV6;
	if (r == 0)
		r = journey_run(&j, &a->options, err);
	if (r == 0) {
		judge(&j, &g);
		if (a->args->json) {
			json_t *doc = tell_json(&j, &g);

			(void)json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
			(void)fputc('\n', stdout);
			json_decref(doc);
		} else {
			tell_text(&j, &g, stdout);
		}
		r = a->args->draw ? draw(a->args->draw, &j, &g, err) : 0;
		if (r == 0)
			r = fate_status(g.fate);
		judgement_done(&g);
	}
	journey_done(&j);
	return r;
}

static int trace_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	struct asked a = { .globals = globals, .args = data };
	int r = read_operands(&a, argc, argv, err);

	if (r == 0)
		r = read_numbers(&a, err);
	if (r == 0 && a.options.count > 1 && a.plan.protocol != IPPROTO_ICMP)
		r = error_set(err, -EINVAL, "--count is for --icmp");
	if (r == 0 && a.options.watch && a.plan.port == 0)
		r = error_set(err, -EINVAL, "--watch wants a port");
	if (r == 0 && a.options.watch && a.plan.protocol == IPPROTO_ICMP)
		r = error_set(err, -EINVAL, "--watch is for tcp and udp");
	if (r == 0 && a.args->draw)
		r = why_draw_check(a.args->draw, err);
	if (r == 0 && geteuid() != 0)
		r = error_set(err, -EPERM, "following a packet needs root; 'why check' does not");
	if (r == 0 && !explain_note("a packet is %s, and the kernel tells of its way to tables of "
				    "our own, which it takes away afterwards",
				    a.options.watch ? "waited for" : "sent"))
		r = follow(&a, err);
	free(a.from);
	free(a.to);
	return r;
}

const struct cmd cmd_why_trace = {
	.name = "trace",
	.operands = "[FROM] TO[:PORT][/tcp|/udp]",
	.help = "Send a packet, follow it, and tell what becomes of it and why",
	.opts = why_trace_opts,
	.args_size = sizeof(struct why_trace_args),
	.min_operands = 1,
	.max_operands = 3,
	.run_alone = trace_run,
};

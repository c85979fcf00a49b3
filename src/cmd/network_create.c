/* src/cmd/network_create.c - strake network create, rm, prune */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/network_edit.h"
#include "network/attach.h"
#include "network/create.h"

#define ROW(field, name, letter, operand, help)                                                    \
	OPT(struct network_options, field, name, letter, operand, help)

static const struct opt create_opts[] = {
	ROW(driver, "driver", 'd', "DRIVER", "bridge (default), macvlan or ipvlan"),
	ROW(subnets, "subnet", 0, "SUBNET", "such as 10.1.0.0/24 or fd00:1::/64; else a free one"),
	ROW(gateways, "gateway", 0, "ADDRESS", "in one of the subnets (default: its first)"),
	ROW(ranges, "ip-range", 0, "RANGE", "give addresses of this part of a subnet only"),
	ROW(ipv6, "ipv6", 0, NULL, "IPv6 as well, with a private subnet if none is given"),
	ROW(internal, "internal", 0, NULL, "no way out, no published ports"),
	ROW(isolation, "isolate", 0, "HOW",
	    "other networks reach: true: published ports (default); strict: nothing; "
	    "false: all, if they are open, too"),
	ROW(peers, "peer", 0, "NETWORK", "it and this one reach each other"),
	ROW(icc, "icc", 0, "BOOL", "false: its containers do not reach one another"),
	ROW(mtu, "mtu", 0, "BYTES", "largest packet (default: that of the host's uplink)"),
	ROW(routes, "route", 0, "SUBNET,VIA[,METRIC]", "a route that its containers get"),
	ROW(dns, "dns", 0, "ADDRESS", "ask this server for other names than containers'"),
	ROW(dns_off, "disable-dns", 0, NULL, "no names of containers"),
	ROW(interface, "interface-name", 0, "PREFIX", "interfaces inside are PREFIX0, PREFIX1"),
	ROW(parent, "parent", 0, "LINK", "for macvlan and ipvlan (default: the uplink)"),
	ROW(labels, "label", 0, "NAME=VALUE", "a note for programs"),
	ROW(opts, "opt", 'o', "NAME=VALUE",
	    "bridge=LINK (joined if it is there), mode=nat|routed, masquerade=BOOL; macvlan: "
	    "mode=bridge|private|vepa|passthru; ipvlan: mode=l2|l3|l3s"),
	{ 0 },
};

static int create_run(struct engine *engine, const void *args, int argc, char **argv,
		      struct error *err)
{
	const struct network_site site = engine_network(engine);
	int r = network_create(&site, argv[0], args, err);

	(void)argc;
	if (r == 0)
		(void)puts(argv[0]);
	return r;
}

const struct cmd cmd_network_create = {
	.name = "create",
	.operands = "NETWORK",
	.help = "Make a network",
	.details =
		"Containers join it with 'strake run --network NETWORK' or 'strake network connect'. Its bridge\n"
		"is made when the first one comes, and goes with the last; the network stays until 'rm'.\n\n"
		"Subnets must overlap neither a route of this host nor another network. Networks do not reach\n"
		"one another unless --peer or --isolate false says so; published ports are reached from all.",
	.opts = create_opts,
	.args_size = sizeof(struct network_options),
	.min_operands = 1,
	.max_operands = 1,
	.flags = CMD_MAKES,
	.run = create_run,
};

struct rm_args {
	bool force;
};

static const struct opt rm_opts[] = {
	OPT(struct rm_args, force, "force", 'f', NULL,
	    "disconnect its containers first; a missing network is fine"),
	{ 0 },
};

static int remove_one(struct engine *engine, const struct rm_args *args, const char *name,
		      struct error *err)
{
	const struct network_site site = engine_network(engine);
	int r = args->force ? network_edit_clear(engine, name, err) : 0;

	if (r == 0)
		r = network_remove(&site, name, err);
	return args->force && r == -ENOENT ? 0 : r;
}

static int rm_run(struct engine *engine, const void *args, int argc, char **argv, struct error *err)
{
	int failed = 0;

	(void)err;
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };
		int r = remove_one(engine, args, argv[i], &failure);

		if (r < 0)
			cmd_report("network rm", &failure);
		else
			(void)puts(argv[i]);
		failed |= r < 0;
	}
	return failed;
}

const struct cmd cmd_network_rm = {
	.name = "rm",
	.operands = "NETWORK...",
	.help = "Remove networks",
	.opts = rm_opts,
	.args_size = sizeof(struct rm_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = rm_run,
};

struct prune_args {
	bool force;
};

static const struct opt prune_opts[] = {
	OPT(struct prune_args, force, "force", 'f', NULL, "do not ask"),
	{ 0 },
};

/* A network is soon made again: a script that does not say --force is believed. */
static bool shall_prune(const struct prune_args *args, const struct strv *names)
{
	char answer[8] = "";

	if (args->force || names->n == 0 || !isatty(STDIN_FILENO))
		return true;
	for (size_t i = 0; i < names->n; i++)
		(void)printf("%s\n", names->items[i]);
	(void)printf("Remove these networks, which no container uses? [y/N] ");
	(void)fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int prune_run(struct engine *engine, const void *args, int argc, char **argv,
		     struct error *err)
{
	const struct network_site site = engine_network(engine);
	struct strv names = { 0 };
	int r = network_unused(&site, &names, err);

	(void)argc;
	(void)argv;
	if (r == 0 && !shall_prune(args, &names)) {
		strv_done(&names);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		r = network_remove(&site, names.items[i], err);
		if (r == 0)
			(void)puts(names.items[i]);
	}
	strv_done(&names);
	return r;
}

const struct cmd cmd_network_prune = {
	.name = "prune",
	.operands = "",
	.help = "Remove all networks that no container uses",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = prune_run,
};

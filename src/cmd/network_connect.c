/* src/cmd/network_connect.c - strake network connect, disconnect */
#include <stdio.h>

#include "cmd/cmd.h"
#include "engine/network_edit.h"
#include "network/endpoint.h"

struct connect_args {
	const char *ip, *ip6, *mac, *interface;
	struct strv aliases;
};

static const struct opt connect_opts[] = {
	OPT(struct connect_args, ip, "ip", 0, "ADDRESS", "its IPv4 address there"),
	OPT(struct connect_args, ip6, "ip6", 0, "ADDRESS", "its IPv6 address there"),
	OPT(struct connect_args, mac, "mac-address", 0, "MAC", "its hardware address there"),
	OPT(struct connect_args, interface, "interface", 0, "NAME", "the interface's name inside"),
	OPT(struct connect_args, aliases, "alias", 0, "NAME", "a further name of it there"),
	{ 0 },
};

static int fill(const struct connect_args *args, struct endpoint_option *option, struct error *err)
{
	const struct {
		const char *key, *value;
	} given[] = {
		{ "ip", args->ip },
		{ "ip6", args->ip6 },
		{ "mac", args->mac },
		{ "interface", args->interface },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(given); i++)
		if (given[i].value)
			r = endpoint_option_set(option, given[i].key, given[i].value, err);
	for (size_t i = 0; r == 0 && i < args->aliases.n; i++)
		r = endpoint_option_set(option, "alias", args->aliases.items[i], err);
	return r;
}

static int connect_run(struct engine *engine, const void *args, int argc, char **argv,
		       struct error *err)
{
	struct endpoint_option option = { .text = NULL };
	int r = endpoint_option_parse(argv[0], &option, err);

	(void)argc;
	if (r == 0)
		r = fill(args, &option, err);
	if (r == 0)
		r = network_edit_connect(engine, argv[1], &option.req, err);
	endpoint_option_done(&option);
	return r;
}

const struct cmd cmd_network_connect = {
	.name = "connect",
	.operands = "NETWORK CONTAINER",
	.help = "Put a container that runs into a further network",
	.opts = connect_opts,
	.args_size = sizeof(struct connect_args),
	.min_operands = 2,
	.max_operands = 2,
	.run = connect_run,
};

struct disconnect_args {
	bool force;
};

static const struct opt disconnect_opts[] = {
	OPT(struct disconnect_args, force, "force", 'f', NULL, "one that is not in it is fine"),
	{ 0 },
};

static int disconnect_run(struct engine *engine, const void *data, int argc, char **argv,
			  struct error *err)
{
	const struct disconnect_args *args = data;
	int r = network_edit_disconnect(engine, argv[1], argv[0], err);

	(void)argc;
	return args->force && r == -ENOENT ? 0 : r;
}

const struct cmd cmd_network_disconnect = {
	.name = "disconnect",
	.operands = "NETWORK CONTAINER",
	.help = "Take a container that runs out of a network",
	.opts = disconnect_opts,
	.args_size = sizeof(struct disconnect_args),
	.min_operands = 2,
	.max_operands = 2,
	.run = disconnect_run,
};

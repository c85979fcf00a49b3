/* src/cmd/network_check.c - strake network check, reload */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/conclude.h"
#include "engine/engine.h"
#include "engine/recover.h"
#include "network/attach.h"
#include "network/check.h"

struct check_args {
	bool repair;
};

static const struct opt check_opts[] = {
	OPT(struct check_args, repair, "repair", 0, NULL, "put right what can be"),
	{ 0 },
};

static void report(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int check_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct check_args *args = data;
	int left = 0;
	int found = check_networks(engine, args->repair, report, NULL, &left, err);

	(void)argc;
	(void)argv;
	if (found == -EPERM && geteuid() != 0)
		return error_wrap(err, found, "needs root, to see links, rules and namespaces");
	return found < 0 ? found : conclude("strake network check", found, left, args->repair);
}

const struct cmd cmd_network_check = {
	.name = "check",
	.operands = "",
	.help = "Compare the kernel's links and rules with what containers need",
	.details =
		"Each difference is a line: links and elements of our table that belong to no container, and\n"
		"what a container needs and is not there, because somebody flushed rules or deleted a bridge;\n"
		"a resolver (strake-dns) that is gone; and other firewalls that would drop a network's traffic:\n"
		"Docker's or ufw's policy DROP, firewalld, rules of your own.\n"
		"--repair makes what is missing and takes away what is nobody's. Rules of iptables-legacy are\n"
		"not edited: their line says what to type. The exit status is 1 if something is left wrong.",
	.opts = check_opts,
	.args_size = sizeof(struct check_args),
	.run = check_run,
};

static int reload_run(struct engine *engine, const void *args, int argc, char **argv,
		      struct error *err)
{
	const struct network_site site = engine_network(engine);

	(void)args;
	(void)argc;
	(void)argv;
	return network_reload(&site, err);
}

const struct cmd cmd_network_reload = {
	.name = "reload",
	.operands = "",
	.help = "Make bridges, links and rules again from the state",
	.details =
		"After a firewall was restarted, a 'nft flush ruleset', or a change of bridge netfilter:\n"
		"everything that the containers that run need is made again; connections live on.",
	.run = reload_run,
};

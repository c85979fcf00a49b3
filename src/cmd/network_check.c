/* src/cmd/network_check.c - strake network check and reload */
#include <stdio.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/recover.h"
#include "engine/recover.h"
#include "network/attach.h"
#include "network/check.h"

extern const struct cmd cmd_network_check, cmd_network_reload;

struct check_args {
	bool repair;
};

static const struct opt check_opts[] = {
	OPT(struct check_args, repair, "repair", 0, NULL, "put right what is found"),
	{ 0 },
};

static void print_finding(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int check_run(struct engine *engine, const void *args, int argc, char **argv,
		     struct error *err)
{
	bool repair = ((const struct check_args *)args)->repair;
	int found;

	(void)argc;
	(void)argv;
	found = check_networks(engine, repair, print_finding, NULL, err);
	if (found < 0)
		return found;
	if (found == 0)
		(void)puts("nothing is wrong");
	else
		(void)printf("%d found%s\n", found,
			     repair ? "" : "; 'strake network check --repair' puts it right");
	return found && !repair ? 1 : 0;
}

const struct cmd cmd_network_check = {
	.name = "check",
	.operands = "",
	.help = "Compare the networks that there should be with those that there are",
	.details =
		"Looks for links and nftables elements that belong to no container, for those that are missing,\n"
		"for resolvers (strake-dns) that are gone, and for other firewalls that would drop a network's\n"
		"traffic: Docker's or ufw's policy DROP, firewalld, rules of your own. The exit status is 1 if\n"
		"something was found and not repaired.",
	.opts = check_opts,
	.args_size = sizeof(struct check_args),
	.run = check_run,
};

static int reload_run(struct engine *engine, const void *args, int argc, char **argv,
		      struct error *err)
{
	const struct network_site site = engine_network(engine);
	int r = network_reload(&site, err);

	(void)args;
	(void)argc;
	(void)argv;
	return MIN(r, 0);
}

const struct cmd cmd_network_reload = {
	.name = "reload",
	.operands = "",
	.help = "Make the rules of all networks again",
	.details =
		"After 'nft flush ruleset', or when another firewall was started: bridges, nftables elements,\n"
		"resolvers and what other firewalls need are made as the containers that run want them. What is\n"
		"there already stays, and so do connections.",
	.run = reload_run,
};

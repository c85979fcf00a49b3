/* src/programs/strake-dns.c - one per network with containers; the work is in network/dns_serve.c
 */
#include <signal.h>
#include <stdio.h>

#include "base/opt.h"
#include "network/dns_serve.h"

static const struct opt opts[] = {
	OPT(struct dns_serve_request, network, "network", 0, "NAME", "whose names"),
	OPT(struct dns_serve_request, gateways, "gateway", 0, "ADDRESS", "ours in it"),
	OPT(struct dns_serve_request, subnets, "subnet", 0, "SUBNET", "who may ask"),
	OPT(struct dns_serve_request, servers, "dns", 0, "ADDRESS", "who is asked for other names"),
	OPT(struct dns_serve_request, udp, "udp", 0, "FD", "a bound socket"),
	OPT(struct dns_serve_request, tcp, "tcp", 0, "FD", "a listening socket"),
	OPT(struct dns_serve_request, control_fd, "control-fd", 0, "FD", "where changes come from"),
	OPT(struct dns_serve_request, records_fd, "records-fd", 0, "FD", "the names so far"),
	OPT(struct dns_serve_request, status_fd, "status-fd", 0, "FD", "where to report the start"),
	OPT(struct dns_serve_request, internal, "internal", 0, NULL, "nothing else is asked"),
	{ 0 },
};

int main(int argc, char **argv)
{
	struct dns_serve_request req = { 0 };
	const struct opt_set sets[] = { { opts, &req }, { 0 } };
	struct error err = { 0 };
	int n = opt_parse(sets, OPT_ANYWHERE, argc - 1, argv + 1, &err), status;

	if (n != 0 || !req.network || req.control_fd <= 0 || req.records_fd <= 0 ||
	    req.status_fd <= 0) {
		(void)fprintf(stderr, "strake-dns: %s\n",
			      n < 0 ? err.text : "started by strake, not by hand");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	status = dns_serve(&req);
	opt_done(opts, &req);
	return status;
}

/* src/programs/strake-firewalld.c - what needs D-Bus; the work is in network/firewalld_bus.c */
#include <stdio.h>

#include "base/opt.h"
#include "network/firewalld_bus.h"

struct args {
	int status_fd;
};

static const struct opt opts[] = {
	OPT(struct args, status_fd, "status-fd", 0, "FD", "where to report a failure"),
	{ 0 },
};

int main(int argc, char **argv)
{
	struct args args = { 0 };
	const struct opt_set sets[] = { { opts, &args }, { 0 } };
	struct error err = { 0 };
	int n = opt_parse(sets, OPT_ANYWHERE, argc - 1, argv + 1, &err), r;

	if (n != 2 || args.status_fd <= 0) {
		(void)fprintf(stderr, "strake-firewalld: %s\n",
			      n < 0 ? err.text : "started by strake, not by hand");
		return 2;
	}
	r = firewalld_bus(argv[1], argv[2], &err);
	if (r < 0)
		(void)error_send(args.status_fd, &err);
	return r < 0 ? 3 : r;
}

/* src/network/option.h - what a user says of a network, read into the network. */
#ifndef NETWORK_OPTION_H
#define NETWORK_OPTION_H

#include "base/error.h"

struct network;
struct network_options;

/* Everything but subnets.  Nothing outside is looked at. */
int option_apply(const struct network_options *options, struct network *network,
		 struct error *err) must_check;
/* "10.0.0.0/8,10.1.0.1[,METRIC]" */
struct network_route;
int option_parse_route(const char *text, struct network_route *ret, struct error *err) must_check;

#endif

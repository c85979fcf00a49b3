/* src/network/endpoint.h - what a user says of one network of a container:
 * NAME[:KEY=VALUE,...] or name=NAME[,KEY=VALUE,...]; keys are ip, ip6, mac, alias, interface.
 */
#ifndef NETWORK_ENDPOINT_H
#define NETWORK_ENDPOINT_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "network/attach.h"

struct endpoint_option {
	struct endpoint_request req; /* its strings are below */
	char *text;
	struct strv aliases;
};
void endpoint_option_done(struct endpoint_option *option);

/* ret stays where it is: req points into it. */
int endpoint_option_parse(const char *text, struct endpoint_option *ret,
			  struct error *err) must_check;
/* One key, as --ip, --mac-address and their like give it. */
int endpoint_option_set(struct endpoint_option *option, const char *key, const char *value,
			struct error *err) must_check;

/* "10mbit", "1.5g", "500k": bits a second, in steps of 1000; at least 8000. */
int rate_parse(const char *text, uint64_t *ret, struct error *err) must_check;

#endif

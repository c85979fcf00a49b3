/* src/network/plug.h - one end in a network, the other in a namespace, with addresses and routes.
 */
#ifndef NETWORK_PLUG_H
#define NETWORK_PLUG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/netns.h"

struct endpoint;
struct link;
struct nl;

/* A namespace that is being wired. */
struct plug {
	struct netns ns;
	char *path, *where; /* where: as link.h, for narration; owned */
	int next_index;     /* of the next link born there; 0: it is not fresh, any */
	bool has_default4, has_default6;
	uint64_t rate_up, rate_down; /* of each of its links, bits a second; 0: no limit */
};
#define PLUG_INIT ((struct plug) { .ns = { .fd = -1 } })

/* Makes it, its loopback up; or opens one that there is. */
int plug_open(struct plug *plug, const char *netns, bool existing, struct error *err) must_check;
void plug_close(struct plug *plug);

/* bridge: unused for other drivers. */
int plug_in(struct nl *nl, struct plug *plug, const struct endpoint *endpoint,
	    const struct link *bridge, struct error *err) must_check;

/* What its port of the bridge should be, as bridge.h says; and making it so. */
void plug_wants(const struct endpoint *endpoint, bool *ret_hairpin, bool *ret_isolated);
int plug_set_port(struct nl *nl, const struct endpoint *endpoint, const struct link *have,
		  struct error *err) must_check;
/* An endpoint that is plugged in already: what it has, another need not give. */
void plug_skip(struct plug *plug, const struct endpoint *endpoint);

/* The default routes of an attached container, those that it lacks. */
struct network_lease;
int plug_defaults(struct plug *plug, const struct network_lease *lease,
		  struct error *err) must_check;

#endif

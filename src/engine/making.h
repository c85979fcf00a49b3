/* src/engine/making.h - a container that is being made, from options to all that it needs to start.
 *
 * The order is the promise "kill at any point is cleaned by the next command":
 *	plan	nothing outside memory: root, command, ID, names, limits are looked up and checked
 *	record	one transaction: name, address, ports, and the intent (active = 1)
 *	files	containers/ID, locked; container.json, config.json, files for /etc
 *	network	the namespace, its cable, its ports
 * Whatever follows record is undone by container_discard(), here after a failure, in the next
 * command after a kill.
 */
#ifndef ENGINE_MAKING_H
#define ENGINE_MAKING_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/root.h"
#include "network/attach.h"
#include "network/endpoint.h"

struct container;
struct container_options;
struct engine;

struct making {
	struct engine *engine;
	const struct container_options *options;
	struct container *c;
	struct root root;
	struct endpoint_option *endpoints; /* of the networks asked for; none with a mode */
	size_t nendpoints;
	struct strv publish; /* of all ports */
	struct network_lease lease;
	bool has_lease;
	char *joined;   /* ID of the container whose network it shares, or NULL */
	bool is_joined; /* netns is another's */
	char *hostname;
	char *dir;
	char *run_dir;
	char *netns; /* NULL: the host's network */
	json_t *config;
	int lock_fd; /* of containers/ID; its last holder is the monitor */
	bool recorded;
};
#define MAKING_INIT ((struct making) { .lock_fd = -1 })

/* All four steps; on failure nothing is left. */
int making_go(struct engine *engine, const struct container_options *options, struct making *ret,
	      struct error *err) must_check;
/* The first step alone: the config.json that would be used; the caller owns it. */
int making_print(struct engine *engine, const struct container_options *options, json_t **ret,
		 struct error *err) must_check;
/* Takes back what making_go() made. */
void making_undo(struct making *m);
void making_done(struct making *m); /* frees; the container stays */

#endif

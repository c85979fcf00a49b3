/* src/engine/network_edit.h - networks of containers that run, joined and left. */
#ifndef ENGINE_NETWORK_EDIT_H
#define ENGINE_NETWORK_EDIT_H

#include <stdbool.h>

#include "base/error.h"

struct endpoint_request;
struct engine;

/* container: name, ID or the start of one; it must run in a network namespace of its own. */
int network_edit_connect(struct engine *engine, const char *container,
			 const struct endpoint_request *req, struct error *err) must_check;
int network_edit_disconnect(struct engine *engine, const char *container, const char *network,
			    struct error *err) must_check;
/* Disconnects all its containers. */
int network_edit_clear(struct engine *engine, const char *network, struct error *err) must_check;

#endif

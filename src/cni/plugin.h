/* src/cni/plugin.h - one call of the plugin, and what its commands do. */
#ifndef CNI_PLUGIN_H
#define CNI_PLUGIN_H

#include "cni/config.h"
#include "cni/request.h"
#include "base/process.h"
#include "network/attach.h"

struct plugin {
	struct cni_request request;
	struct cni_config config;
	struct engine *engine;    /* NULL until plugin_open() */
	struct network_site site; /* of engine */
	char boot[BOOT_ID_LEN + 1];
	struct cni_failure f;
	json_t *answer; /* NULL: nothing to say */
};

/* Opens the state, and forgets the attachments of earlier boots. */
int plugin_open(struct plugin *p) must_check;
/* The network of the configuration, made if it is not there; inside a transaction. */
int plugin_network(struct plugin *p) must_check;

/* Each fills p->f when it fails. */
int plugin_add(struct plugin *p) must_check;
int plugin_check(struct plugin *p) must_check;
int plugin_del(struct plugin *p) must_check;
int plugin_gc(struct plugin *p) must_check;
int plugin_status(struct plugin *p) must_check;
/* Takes an attachment apart, wherever it was stopped. */
int plugin_undo(struct plugin *p, const char *lease, const char *netns) must_check;

#endif

/* src/engine/making_network.h - the network's part in the steps of making.h. */
#ifndef ENGINE_MAKING_NETWORK_H
#define ENGINE_MAKING_NETWORK_H

#include "base/error.h"

struct making;

/* Which networks, or which mode; netns. */
int making_network_plan(struct making *m, struct error *err) must_check;
/* Inside the transaction: addresses and ports. */
int making_network_reserve(struct making *m, struct error *err) must_check;
/* hosts, resolv.conf, hostname. */
int making_network_names(struct making *m, struct error *err) must_check;
int making_network_attach(struct making *m, struct error *err) must_check;
void making_network_done(struct making *m);

#endif

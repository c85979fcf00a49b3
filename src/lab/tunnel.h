/* src/lab/tunnel.h - why a frame that went into one VXLAN link does not come out of another. */
#ifndef LAB_TUNNEL_H
#define LAB_TUNNEL_H

#include "lab/topology.h"
#include "lab/verdict.h"

struct facts;

/* Both are VXLAN links that are up.  Always sets a verdict. */
void tunnel_explain(struct facts *f, const struct link_end *from, const struct link_end *to,
		    struct verdict *v);

#endif

/* src/lab/segment.h - why a broadcast of one interface is not heard at another: follows it along
 * the cables and finds where it was last seen.
 */
#ifndef LAB_SEGMENT_H
#define LAB_SEGMENT_H

#include "lab/topology.h"
#include "lab/verdict.h"

struct domains;
struct facts;

/* from and to are ends of Ethernet.  Always sets a verdict. */
void segment_explain(const struct domains *d, struct facts *f, const struct link_end *from,
		     const struct link_end *to, struct verdict *ret);
/* Whether cables and bridges lead from one to the other, whatever state they are in. */
bool segment_is_wired(const struct topology *t, const struct link_end *from,
		      const struct link_end *to);

#endif

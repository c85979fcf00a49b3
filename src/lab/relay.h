/* src/lab/relay.h - cables that delay, lose or hold back frames.
 *
 * MEANS_KERNEL: each end has a netem discipline.
 * MEANS_BUILT:  the cable is two, whose inner ends lie in the lab's namespace behind the nodes, and
 *               a process of the lab carries frames from one to the other.
 */
#ifndef LAB_RELAY_H
#define LAB_RELAY_H

#include "lab/raise.h"

bool link_is_impaired(const struct lab_link *link);
/* What a lab with such cables needs on this kernel; MEANS_NOT_NEEDED if it has none. */
enum lab_means relay_means(const struct topology *t);

/* Names of a relayed link's inner ends, and their indices. */
void relay_end(size_t link, int side, char ret_name[IF_NAMESIZE], int *ret_index);

/* For the keeper: carries frames in a process of its own, from when this returns.  Nothing to do is
 * fine. */
int relay_start(const struct raised *raised, struct error *err) must_check;

#endif

/* src/lab/cable.h - pulling a cable of a lab that is up, and plugging it in again. */
#ifndef LAB_CABLE_H
#define LAB_CABLE_H

#include "lab/lab.h"

/* One end is set down, which takes the carrier from the other one: a switch's port if there is one,
 * since it has nothing to lose.  Up again, an end gets back what the kernel took with it: routes,
 * and addresses of IPv6.
 */
int cable_set(struct lab *lab, size_t link, bool up, struct error *err) must_check;

#endif

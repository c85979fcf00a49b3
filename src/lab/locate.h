/* src/lab/locate.h - where a packet is lost, though all that is looked at seems right: sends it and
 * watches how far it comes.
 */
#ifndef LAB_LOCATE_H
#define LAB_LOCATE_H

#include "base/error.h"

struct diagnosis;
struct question;
struct verdict;

int locate(struct diagnosis *d, const struct question *q, struct verdict *ret,
	   struct error *err) must_check;

#endif

/* src/lab/locate.h - where a packet is lost, though all that is looked at seems right: sends it and
 * watches how far it comes.
 */
#ifndef LAB_LOCATE_H
#define LAB_LOCATE_H

#include <stddef.h>

#include "base/error.h"

struct diagnosis;
struct lab;
struct question;
struct verdict;

int locate(struct diagnosis *d, const struct question *q, struct verdict *ret,
	   struct error *err) must_check;
/* The node's rules at a hook (NULL-terminated) are the reason, or nothing that we know of. */
void locate_blame(struct lab *lab, size_t node, const char *const hooks[], const char *did_what,
		  struct verdict *v);

#endif

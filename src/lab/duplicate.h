/* src/lab/duplicate.h - what two nodes have and only one may. */
#ifndef LAB_DUPLICATE_H
#define LAB_DUPLICATE_H

#include "base/ip.h"
#include "lab/facts.h"
#include "lab/verdict.h"

/* Two that have one address, or who has it and another one have one MAC address: some get through,
 * by chance.  What the file itself says twice is meant so.
 */
bool find_duplicate(struct facts *f, const struct ip *ip, struct verdict *ret);

#endif

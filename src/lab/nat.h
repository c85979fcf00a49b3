/* src/lab/nat.h - a node's translation of addresses: "nat:" and "publish:", in a table of its own.
 */
#ifndef LAB_NAT_H
#define LAB_NAT_H

#include "lab/raise.h"

int nat_set(const struct raised *raised, size_t node, struct error *err) must_check;

#endif

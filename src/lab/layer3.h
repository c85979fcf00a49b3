/* src/lab/layer3.h - addresses, parameters and routes of one node. */
#ifndef LAB_LAYER3_H
#define LAB_LAYER3_H

#include "lab/raise.h"

int layer3_set(const struct raised *raised, size_t node, struct error *err) must_check;
/* Those of one interface, and the routes through it: again, after it was down. */
int layer3_again(const struct raised *raised, size_t node, size_t interface,
		 struct error *err) must_check;

#endif

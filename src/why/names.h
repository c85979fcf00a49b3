/* src/why/names.h - things of one table by their names.  Kubernetes makes ten thousands of chains.
 */
#ifndef WHY_NAMES_H
#define WHY_NAMES_H

#include <stddef.h>

struct named {
	const char *name; /* borrowed */
	void *item;
};

/* Zeroed it is empty. */
struct names {
	struct named *slots;
	size_t n, room; /* a power of two, at most half full */
};

/* Of two with one name the newer is found. */
void names_add(struct names *names, const char *name, void *item);
void *names_find(const struct names *names, const char *name); /* or NULL */
void names_done(struct names *names);

#endif

/* src/base/nearest.h - the word that somebody who mistyped may have meant.
 *
 *	struct nearest near = nearest_init("hepl");
 *	nearest_try(&near, "help");
 *	near.best			NULL if nothing is near enough
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word;
	const char *best; /* borrowed from nearest_try() */
	size_t distance;  /* changes from word to best; the most that is allowed before */
};

struct nearest nearest_init(const char *word);
void nearest_try(struct nearest *near, const char *candidate);

#endif

/* src/base/nearest.c */
#include "base/nearest.h"

#include <string.h>

#include "base/macros.h"

#define WORD_MAX 40 /* no command or option is longer */

struct nearest nearest_init(const char *word)
{
	size_t len = strlen(word);

	/* One slip in a short word, two in others; what differs in half of its letters is another.
	 */
	return (struct nearest) { .word = word, .distance = len < 2 ? 0 : len < 5 ? 1 : 2 };
}

/* Insertions, deletions, replacements, and neighbours that changed places (Damerau). */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);

			now[j] = MIN(change, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

void nearest_try(struct nearest *near, const char *candidate)
{
	size_t d;

	if (strlen(near->word) > WORD_MAX || strlen(candidate) > WORD_MAX)
		return;
	d = distance(near->word, candidate);
	if (d > near->distance || (near->best && d == near->distance))
		return;
	near->best = candidate;
	near->distance = d;
}

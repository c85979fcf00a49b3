/* src/builder/ahead.h - steps that begin before their turn.
 *
 * While a RUN goes on, or a download, later steps of the stage that do not need what it makes are
 * begun, each in a process of its own: what ADD takes from elsewhere is fetched, what --link copies
 * from a context is read, hashed and written.  They say nothing and keep nothing; in its turn the
 * step takes what there is, or does it itself, so that results, errors and what is told come in
 * order and are the same.
 *
 * Nothing is begun that the cache may have: the step before it was not there, and so what stands on
 * it is not.
 */
#ifndef BUILDER_AHEAD_H
#define BUILDER_AHEAD_H

#include <stdbool.h>

struct build;
struct incoming;
struct instruction;
struct work;

/* Those behind w, as far as their words can be known. */
void ahead_begin(struct work *w);
/* Waits for w's own, if it was begun: true if all went well, then *ret is the caller's. */
bool ahead_take(struct work *w, struct incoming *ret);
/* Ends what nobody has taken. */
void ahead_done(struct build *b);

/* Whether what the instruction reads is known before anything below it. */
bool ahead_is_free(const struct build *b, const struct instruction *ins);

#endif

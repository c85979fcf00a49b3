/* src/engine/supply.h - what a root without a distribution lacks, brought in by name: "--with
 * ca-certificates,tzdata,passwd,tmp,resolver".
 *
 * Each is one row: what it is, what in a program's last words tells of its absence, and how it
 * comes in.  Files of the host are bound read-only; nothing is copied.
 */
#ifndef ENGINE_SUPPLY_H
#define ENGINE_SUPPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct strv;

/* Is name among the lists, which are separated by commas? */
bool supply_is_asked(const struct strv *lists, const char *name);
/* Every name must be known. */
int supply_check(const struct strv *lists, struct error *err) must_check;

/* Appends the mounts of what is asked for; dir holds the files of supply_write(). */
int supply_add_mounts(const struct strv *lists, const char *dir, json_t *mounts,
		      struct error *err) must_check;
/* Writes passwd and group into the container's directory, if asked for. */
int supply_write(const struct strv *lists, const char *dir, struct error *err) must_check;

/* For a program that failed with these last words: a line for each thing that they are about and
 * that view (its root; -1: an empty one) lacks.
 */
void supply_diagnose(const char *last_words, int view, const struct strv *asked, struct strv *ret);

#endif

/* src/builder/show.h - --show-changes: what a step's layer added, changed and removed. */
#ifndef BUILDER_SHOW_H
#define BUILDER_SHOW_H

#include "base/error.h"

struct step;
struct work;

/* The state has the layer already, as its uppermost. */
int show_changes(struct work *w, const struct step *step) must_check;

#endif

/* src/transfer/progress.h - how far each layer has come: bars on a terminal, lines elsewhere. */
#ifndef TRANSFER_PROGRESS_H
#define TRANSFER_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "base/macros.h"

struct progress;

enum progress_kind { PROGRESS_NONE, PROGRESS_AUTO, PROGRESS_PLAIN };

struct progress *progress_new(FILE *to, enum progress_kind kind);
/* got is read until progress_free(); a name is shown as its first 12 characters.  Before start. */
void progress_add(struct progress *p, const char *name, int64_t total, const atomic_llong *got);
void progress_start(struct progress *p, const char *verb); /* "pulling" */
/* A line of its own, whatever is being drawn. */
void progress_note(struct progress *p, const char *text);
/* Stops drawing and forgets what was added: start again with others. */
void progress_stop(struct progress *p);
void progress_free(struct progress *p);
DEFINE_CLEANUP(struct progress *, progress, progress_free);

#endif

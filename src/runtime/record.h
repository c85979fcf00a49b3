/* src/runtime/record.h - what strake-runtime remembers of a container between two calls.
 *
 * ROOT/ID/state.json, written whole, and ROOT/ID/start, the socket that its first process waits at.
 * Whether it runs is derived from pid and start time each time.  The library under the engine does
 * not use this.
 */
#ifndef RUNTIME_RECORD_H
#define RUNTIME_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

#define RECORD_START_SOCKET "start"

enum record_status { RECORD_CREATED, RECORD_RUNNING, RECORD_PAUSED, RECORD_STOPPED };

struct record {
	char *id;
	char *bundle; /* absolute */
	pid_t pid;
	uint64_t start_time;
	int64_t created_ns;
	int dir_fd; /* ROOT/ID */
};
#define RECORD_INIT ((struct record) { .dir_fd = -1 })
void record_done(struct record *rec);

/* Claims the ID; -EEXIST. */
int record_new(const char *root, const char *id, const char *bundle, struct record *ret,
	       struct error *err) must_check;
int record_save(const struct record *rec, struct error *err) must_check;
/* -ENOENT: "container does not exist", the words that callers look for. */
int record_load(const char *root, const char *id, struct record *ret, struct error *err) must_check;
int record_remove(const char *root, const char *id, struct error *err) must_check;
int record_ids(const char *root, struct strv *ret, struct error *err) must_check;

enum record_status record_status(const struct record *rec);
const char *record_status_word(enum record_status status);
/* Notes that start was called: from then on a living process means running. */
int record_mark_started(const struct record *rec, struct error *err) must_check;

#endif

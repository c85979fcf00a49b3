/* src/engine/status.h - whether a container runs: derived from processes and exit records each
 * time.
 *
 * running: its live record is of this boot and names a living init.  exited: there is an exit
 * record. created: neither.  dying is not a state: a monitor that is still cleaning up counts as
 * exited.
 *
 * A record that cannot be read keeps nobody from anything: what it would have said comes from the
 * processes of the container's control group, or is unknown, and damage says so.
 */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct engine;

enum status_kind { STATUS_CREATED, STATUS_RUNNING, STATUS_EXITED };

struct status {
	enum status_kind kind;
	pid_t pid; /* of init; 0 unless running */
	uint64_t start_time;
	pid_t monitor_pid; /* 0 if dead */
	uint64_t monitor_start;
	int64_t started_ns; /* 0: never */
	int64_t finished_ns;
	int exit_code; /* -1: unknown (its monitor was killed) */
	bool oom_killed;
	struct error damage; /* code 0 unless a record is damaged: which */
	bool live_is_damaged, exit_is_damaged;
};

int status_read(const struct engine *engine, const char *id, struct status *ret,
		struct error *err) must_check;
/* What to tell whoever looks at one with a damaged record. */
void status_advise(const struct status *s, const char *name, struct error *ret);
/* Writes damaged records anew, as far as s knows what they said; the caller looked meanwhile. */
int status_mend(const struct engine *engine, const char *id, const struct status *s,
		struct error *err) must_check;
const char *status_word(const struct status *s); /* "created", "running", "exited" */
/* "Up 5 minutes", "Exited (0) 3 hours ago", "Created". */
void status_text(const struct status *s, char ret[80]);

#endif

/* src/base/event.h - what happens to containers, images, networks, volumes and builds, for whoever
 * looks on: a line of JSON in ROOT/events for each.
 *
 * Nothing here is needed by anything else: who cannot write a line goes on without.  The file is
 * started anew when it is large; one before it, ROOT/events.1, is kept.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define EVENT_FILE "events"
#define EVENT_OLD  "events.1"

/* attributes: NAME, VALUE, ... NULL; a NULL value is passed over.  In a dry run nothing is told. */
void event_tell(int root_fd, const char *type, const char *action, const char *id,
		const char *const *attributes);

/* Reading, in the order in which it was written. */
struct event_reader;
struct event_window {
	int64_t since_ns; /* only those of then and later */
	int64_t until_ns; /* and of before; INT64_MAX: it never ends */
	bool follow;      /* waits for those to come, until then */
};
int event_reader_open(const char *root, const struct event_window *window,
		      struct event_reader **ret, struct error *err) must_check;
/* 1 and one (the caller's; Docker's members: Type, Action, Actor, time, timeNano, ...); 0: there
 * are no more.
 */
int event_reader_next(struct event_reader *r, json_t **ret) must_check;
void event_reader_close(struct event_reader *r);

#endif

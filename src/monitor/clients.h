/* src/monitor/clients.h - who is attached to a container.
 *
 * Everybody gets all output.  The one that started the container in the foreground is waited for
 * when it is slow; any other that falls CLIENT_BACKLOG_MAX behind is cut off, so that a sleeping
 * spectator never stops a container.
 */
#ifndef MONITOR_CLIENTS_H
#define MONITOR_CLIENTS_H

#include <poll.h>
#include <stdbool.h>

#include "base/buf.h"
#include "monitor/protocol.h"

#define CLIENTS_MAX        32
#define CLIENT_BACKLOG_MAX (4U << 20)
#define CLIENT_HIGH_WATER  (256U << 10) /* from here on the foreground client is waited for */

struct connection {
	int fd;
	struct buf in, out;
	bool foreground; /* the command that made the container: it cleans up at the end */
};

struct clients {
	struct connection items[CLIENTS_MAX];
	size_t n;
};

typedef void (*client_frame_fn)(void *data, const struct frame *frame);

void clients_add(struct clients *all, int fd, bool foreground); /* takes fd */
void clients_done(struct clients *all);
/* One is left in the foreground. */
bool clients_have_foreground(const struct clients *all);
/* Whether the container's output should wait. */
bool clients_are_full(const struct clients *all);
void clients_send(struct clients *all, enum frame_type type, const void *bytes, size_t len);
/* One entry each, in order; input: whether theirs is wanted. */
void clients_poll(const struct clients *all, bool input, struct pollfd *ret);
void clients_handle(struct clients *all, const struct pollfd *polled, client_frame_fn fn,
		    void *data);
/* Waits until the foreground client has all or is gone, others get what fits now.  Returns whether
 * there is one who cleans up.
 */
bool clients_finish(struct clients *all);

#endif

/* src/monitor/client.h - the user's side of an attached container. */
#ifndef MONITOR_CLIENT_H
#define MONITOR_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct buf;

struct client {
	int sock;            /* to the monitor, protocol.h; borrowed */
	int pidfd;           /* of the container's first process, for signals; -1: forward none */
	bool input;          /* our standard input goes in */
	bool terminal;       /* it has one: ours becomes raw, sizes go along, ^P^Q detaches */
	bool keeps_signals;  /* one ends us, with 128 and its number, and the container goes on */
	bool quiet;          /* output is not wanted */
	bool is_maker;       /* it runs for us: nobody reads any more, it ends */
	const char *name;    /* of the container; may be NULL unless is_maker */
	bool ends_by_signal; /* one that would end us kills it, stays pending, and gives -EINTR */
	/* Takes what it says, in place of our standard output and error; or NULL. */
	void (*output)(void *data, bool is_error, const void *bytes, size_t len);
	void *output_data;
	struct buf *last_words; /* keeps the end of its output; NULL: not wanted */
	/* Asked while nothing is heard: why it is in vain to wait on, 0 if it is not.  May be NULL.
	 */
	int (*judge)(void *data, struct error *err);
	void *judge_data;
};

#define CLIENT_DETACHED (-1)

/* From here on signals wait for client_run(), which hands them to the container: one that comes
 * while it starts does not end us and leave it running.  The caller puts *ret_before back.
 */
void client_hold_signals(sigset_t *ret_before);

/* Relays until the container ends: *ret_status is its exit status, or CLIENT_DETACHED.  That is
 * written, too, when it ended but not all of its output could be.  -EINTR: ^C three times, and it
 * still runs; or, with ends_by_signal, it was killed for one.
 */
int client_run(const struct client *client, int *ret_status, struct error *err) must_check;

/* Only waits for the end, showing nothing. */
int client_wait(int sock, int (*judge)(void *data, struct error *err), void *judge_data,
		int *ret_status, struct error *err) must_check;

#endif

/* src/image/incoming.h - the store while something comes in: its places, locked.
 *
 * While one is open no layer and no blob is removed as unused (removal takes the lock of
 * ROOT/layers alone), so what has no row yet is safe until its image is recorded.
 */
#ifndef IMAGE_INCOMING_H
#define IMAGE_INCOMING_H

#include "base/error.h"
#include "base/id.h"

#define INCOMING_TMP "tmp"

struct incoming {
	const char *root; /* path of the store; borrowed */
	int root_fd;      /* borrowed */
	int layers_fd;    /* ROOT/layers, locked against removal */
	int blobs_fd;     /* ROOT/blobs/sha256 */
	int tmp_fd;       /* ROOT/tmp/ID, for files of the caller's; locked: a check sees that its
			     owner lives */
	char tmp_name[sizeof(INCOMING_TMP) + 1 + ID_LEN];
};

#define INCOMING_INIT                                                                              \
	{                                                                                          \
		.root_fd = -1, .layers_fd = -1, .blobs_fd = -1, .tmp_fd = -1                       \
	}

/* The places alone: for one who works for long in his tmp_fd before there is something to bring in,
 * and holds (hold.h) the layers that he stands on.  incoming_lock() then makes it a whole one.
 */
int incoming_begin(const char *root, int root_fd, struct incoming *ret,
		   struct error *err) must_check;
int incoming_lock(struct incoming *in, struct error *err) must_check;
int incoming_open(const char *root, int root_fd, struct incoming *ret,
		  struct error *err) must_check;
void incoming_done(struct incoming *in); /* the temporary directory goes */

#endif

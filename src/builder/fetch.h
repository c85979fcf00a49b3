/* src/builder/fetch.h - a file by its URL, through strake-registry, which has no rights.
 *
 * Opening waits for what the server says of it; whether the bytes are wanted may be decided then.
 */
#ifndef BUILDER_FETCH_H
#define BUILDER_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "image/digest.h"

struct engine;

struct fetch {
	pid_t pid; /* -1 once it has ended */
	int out;   /* what comes */
	int said;  /* why it failed */
	char *url; /* for people */
	/* of the server, and not to be believed */
	char *name; /* of a Content-Disposition, one component; NULL */
	char *etag; /* strong; NULL */
	int64_t modified_s;
	bool is_dated;
	char *early; /* bytes that came behind the head */
	size_t early_len;
};
#define FETCH_INIT ((struct fetch) { .pid = -1, .out = -1, .said = -1 })

/* authorization: a header's value, or NULL. */
int fetch_open(const struct engine *engine, const char *url, const char *authorization,
	       struct fetch *ret, struct error *err) must_check;
/* The bytes into fd, all of them. */
int fetch_save(struct fetch *f, int fd, char ret_digest[DIGEST_HEX_LEN + 1],
	       struct error *err) must_check;
/* Nobody waits for the rest. */
void fetch_done(struct fetch *f);

#endif

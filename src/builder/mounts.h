/* src/builder/mounts.h - RUN --mount: what a step sees that is no part of its layer.
 *
 * bind: files of the context or of a stage, without what is ignored; what the step writes there is
 * lost (bind.h).  cache: a
 * directory that later builds find again.  secret: a file in memory, or a variable.  ssh: an
 * agent's socket.  tmpfs.
 */
#ifndef BUILDER_MOUNTS_H
#define BUILDER_MOUNTS_H

#include <jansson.h>

#include "base/error.h"
#include "base/strv.h"

struct incoming;
struct ssh;
struct step_key;
struct work;

struct mounts {
	json_t *list; /* OCI mounts */
	struct mount_plan *plans;
	size_t n, room;
	int *locks; /* of caches that others wait for */
	size_t nlocks, locks_room;
	char *secrets; /* directory of secrets.h; NULL */
	int secrets_fd;
	struct ssh *agents;
	size_t nagents, agents_room;
	struct strv env;  /* for the command: where agents are */
	char *secret_env; /* a file of such that are secret, each ending with a zero byte; NULL */
};
#define MOUNTS_INIT ((struct mounts) { .secrets_fd = -1 })

/* Reads the flags, and adds to the key what a result depends on. */
int mounts_read(struct work *w, struct mounts *ret, struct step_key *key) must_check;
/* Takes the caches, waiting for those who have them. */
int mounts_lock(struct work *w, struct mounts *m) must_check;
/* Makes what is to be mounted, below the temporary directory of in. */
int mounts_make(struct work *w, struct mounts *m, const struct incoming *in) must_check;
/* The path in a context that has changed since it was read for the key; the caller frees.  NULL:
 * none. */
char *mounts_find_changed(const struct mounts *m);
void mounts_done(struct mounts *m);

#endif

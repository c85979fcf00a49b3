/* src/builder/copying.h - a COPY or ADD at work: what it asks for, then the files that this means,
 * then the layer.
 */
#ifndef BUILDER_COPYING_H
#define BUILDER_COPYING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "builder/draft.h"
#include "builder/ignore.h"
#include "builder/listing.h"
#include "builder/mode.h"
#include "builder/ssh.h"
#include "image/digest.h"
#include "image/incoming.h"

struct named;
struct remote;
struct work;

struct copying {
	struct work *w;
	bool is_add, links, keeps_parents;
	const char *from; /* NULL: the context, or this named one */
	const struct named *named;
	char from_chain[DIGEST_HEX_LEN + 1];
	int root; /* of the tree copied from; -1: none is needed */
	struct strv sources;
	struct remote *remotes; /* sources that are elsewhere */
	size_t nremotes, remotes_room;
	struct incoming in; /* where they come to */
	struct ssh ssh;     /* keys for them */
	char *agent;        /* NULL: none were given */
	struct strv docs;   /* contents of here-documents, a name before each */
	char *dest;
	bool dest_is_dir; /* it says so, or several things go there */
	struct draft_looks looks;
	struct draft_mode mode;
	uid_t uid; /* of directories that are made on the way */
	gid_t gid;
	struct ignore exclude;
	struct listing list;
	size_t nlocal; /* items that are no remotes' */
	struct listing_request lr;
	struct buf said;
};

void copying_init(struct copying *c, struct work *w);
void copying_done(struct copying *c);
/* Words and flags. */
int copying_read(struct copying *c) must_check;
/* The tree that it copies from. */
int copying_open(struct copying *c) must_check;
/* The files in it; those of remotes come later. */
int copying_list(struct copying *c) must_check;
/* Fills said. */
void copying_say(struct copying *c);
/* For step_draft(), data is the struct copying: all files as they lie in the layer. */
int copying_make(void *data, struct draft *draft, struct error *err) must_check;

#endif

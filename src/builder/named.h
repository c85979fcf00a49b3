/* src/builder/named.h - --build-context NAME=VALUE: what a FROM or --from of that name means,
 * before any stage or image of that name.
 */
#ifndef BUILDER_NAMED_H
#define BUILDER_NAMED_H

#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"
#include "builder/context.h"

struct engine;

struct named {
	char *name;
	char *image;            /* it stands for this image; NULL: for files */
	struct context context; /* those */
};

struct named_list {
	struct named *items;
	size_t n, room;
	struct strv names; /* of all, for plan.h */
};

struct named_request {
	struct engine *engine;
	const struct strv *texts, *secrets;
	const char *platform; /* of an image in a layout; NULL: this machine's */
};

/* A directory, an archive, a git repository or URL; docker-image://NAME; oci-layout://DIR[:TAG],
 * whose image comes into the store.
 */
int named_open(const struct named_request *req, struct named_list *ret,
	       struct error *err) must_check;
void named_done(struct named_list *list);
const struct named *named_find(const struct named_list *list, const char *name); /* NULL */

#endif

/* src/engine/volume_store.h - volumes as things of their own: listed, made, removed.
 *
 * A volume is the directory ROOT/volumes/NAME with its files in _data; volume.json beside it, which
 * need not be there (a run makes the directory alone), says when it was made and which labels it
 * has.  No row stands for it: who uses it is in the config.json of each container.
 */
#ifndef ENGINE_VOLUME_STORE_H
#define ENGINE_VOLUME_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct engine;

struct volume {
	char *name, *path; /* path: of its files */
	int64_t created_ns;
	struct strv labels; /* NAME=VALUE */
	struct strv users;  /* names of containers, running or not */
	bool is_anonymous;  /* its name was made up */
};

struct volume_list {
	struct volume *items; /* by name */
	size_t n, room;
};

void volume_list_done(struct volume_list *list);
int volume_list(struct engine *engine, struct volume_list *ret, struct error *err) must_check;
const struct volume *volume_list_find(const struct volume_list *list, const char *name);
/* As Docker's inspect has it; the caller owns it. */
json_t *volume_describe(const struct volume *v);

/* name: NULL makes one up.  One that is there stays as it is, as with Docker.  *ret: its name. */
int volume_create(struct engine *engine, const char *name, const struct strv *labels, char **ret,
		  struct error *err) must_check;
/* -EBUSY while a container has it, even one that does not run; -ENOENT. */
int volume_remove(struct engine *engine, const char *name, struct error *err) must_check;

/* The name of the volume that a mount's source is; NULL: it is none.  The caller frees. */
char *volume_of_source(const struct engine *engine, const char *source);

#endif

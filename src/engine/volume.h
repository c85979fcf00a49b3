/* src/engine/volume.h - "-v SOURCE:DEST[:OPTIONS]" and "--tmpfs DEST[:OPTIONS]" as OCI mounts.
 *
 * A source with a slash at its start (or ./, ../) is a path of the host, made as a
 * directory if missing, as Docker's -v does; any other is the name of a volume, a directory under
 * ROOT/volumes/NAME/_data that is made at first use and outlives its containers.
 */
#ifndef ENGINE_VOLUME_H
#define ENGINE_VOLUME_H

#include "base/error.h"

struct engine;
typedef struct json_t json_t;

/* Appends one OCI mount to mounts.  Sources are made here (not in a dry run). */
int volume_add_mount(const struct engine *engine, const char *text, json_t *mounts,
		     struct error *err) must_check;
int tmpfs_add_mount(const char *text, json_t *mounts, struct error *err) must_check;

#endif

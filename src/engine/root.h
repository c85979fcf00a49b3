/* src/engine/root.h - what a container's root file system is made of. */
#ifndef ENGINE_ROOT_H
#define ENGINE_ROOT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/bare.h"
#include "image/image.h"

struct engine;
struct container_options;

enum root_kind { ROOT_IMAGE, ROOT_DIRECTORY, ROOT_BARE };

struct root {
	enum root_kind kind;
	char *source;        /* as inspect shows it: the image's name, the directory, the file */
	struct strv layers;  /* lower directories, the uppermost first; none for ROOT_BARE */
	struct image *image; /* ROOT_IMAGE */
	struct bare bare;    /* ROOT_BARE */
};

int root_plan(struct engine *engine, const struct container_options *options, struct root *ret,
	      struct error *err) must_check;
void root_done(struct root *root);

/* The mounts that make it, to come before all others: an overlay or a tmpfs at "/", then the bare
 * file and its libraries.  dir is the container's directory, which holds the upper layer.
 */
void root_add_mounts(const struct root *root, const char *dir, json_t *mounts);

#endif

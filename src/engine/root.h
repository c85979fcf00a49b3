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

enum root_kind { ROOT_IMAGE, ROOT_DIRECTORY, ROOT_BARE, ROOT_BUNDLE };

/* "run WHAT": a word that starts with /, ./ or ../ is a path, and what lies there decides; any
 * other is the name of an image and nothing else.
 */
bool root_is_path(const char *what);

struct root {
	enum root_kind kind;
	char *source;        /* as inspect shows it: the image's name, the directory, the file */
	struct strv layers;  /* lower directories, the uppermost first; none for ROOT_BARE */
	struct image *image; /* ROOT_IMAGE */
	struct bare bare;    /* ROOT_BARE */
	/* What the image, or the bundle's config.json, says about running it; NULL: nothing. */
	const struct image_config *config;
	json_t *bundle;                    /* ROOT_BUNDLE: its config.json */
	struct image_config bundle_config; /* of that */
	const char *hostname;              /* of that; NULL: none */
};

int root_plan(struct engine *engine, const struct container_options *options, struct root *ret,
	      struct error *err) must_check;
void root_done(struct root *root);

/* After a run that failed: lines about what its root lacks, going by its last words. */
void root_diagnose(struct engine *engine, const struct container_options *options,
		   const char *last_words, struct strv *ret);

/* The mounts that make it, to come before all others: an overlay or a tmpfs at "/", then the bare
 * file and its libraries.  dir is the container's directory, which holds the upper layer.
 */
void root_add_mounts(const struct root *root, const char *dir, json_t *mounts);

#endif

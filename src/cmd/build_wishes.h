/* src/cmd/build_wishes.h - the options of build, read and checked, as a request. */
#ifndef CMD_BUILD_WISHES_H
#define CMD_BUILD_WISHES_H

#include "base/error.h"
#include "base/strv.h"
#include "builder/annotation.h"
#include "builder/cache_spec.h"
#include "builder/edits.h"
#include "builder/named.h"
#include "builder/output_spec.h"

struct build_args;
struct engine;
struct build_request;

/* What a request points to. */
struct build_wishes {
	struct strv names, platforms, registry_flags, build_args;
	struct image_edits edits;
	struct outputs outputs;
	struct annotations annotations;
	struct named_list contexts;
	struct cache_specs cache_from, cache_to;
};

/* The file and the context are the caller's to fill in. */
int wishes_read(struct engine *engine, const struct build_args *args, struct build_wishes *ret,
		struct build_request *req, struct error *err) must_check;
void wishes_done(struct build_wishes *w);

#endif

/* src/builder/build.h - a Containerfile and a context become an image.
 *
 * Stages that the target needs are built, side by side as far as they need not wait for each other
 * (crew.h); each step's result is a layer in the store, kept under a key of all that it depends on
 * (image/step.h).  Only RUN starts a container, through the engine, which shows it as any other.
 * Nothing here prints: what happens is told.
 */
#ifndef BUILDER_BUILD_H
#define BUILDER_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"
#include "builder/containerfile.h"

struct annotations;
struct cache_specs;
struct caches_in;
struct container_options;
struct engine;
struct ignore;
struct image_edits;
struct named_list;
struct outputs;

enum build_event {
	BUILD_STEP,    /* it begins; text: the instruction */
	BUILD_OUTPUT,  /* text: len bytes that its command said */
	BUILD_END,     /* it is done */
	BUILD_FAILED,  /* or this; why is what build_run() returns */
	BUILD_CACHED,  /* nothing had to be done; text: the --cache-from that had it, or NULL */
	BUILD_MISS,    /* text: why it is not in the cache */
	BUILD_LAYER,   /* what it made: chain and size; no chain: it changed nothing */
	BUILD_CHANGE,  /* text: "A /path", with its size */
	BUILD_WARNING, /* text */
	BUILD_PULL,    /* text: an image's name */
	BUILD_EXPORT,  /* text: where it went, what was said of that */
	BUILD_TICK,    /* some time has gone by */
	BUILD_DEBUG,   /* a shell opens where a command failed */
};

struct build_told {
	enum build_event event;
	unsigned id;          /* of the step in the whole build, from 1; 0: it is of none */
	const char *platform; /* NULL: the build is for one only */
	const char *stage;
	unsigned number, total; /* of the step, in its stage */
	const char *text;
	size_t len;    /* of output */
	bool is_error; /* it came on standard error */
	const char *chain;
	int64_t size;
};

struct build_request {
	/* the file */
	const char *bytes;
	size_t len;
	const char *name; /* of it, in errors */
	/* the context; -1: there is none */
	int context;
	const struct ignore *ignore;

	const char *target;                /* NULL: the last stage */
	const struct strv *platforms;      /* none: this machine's */
	const char *platform;              /* one of them, or NULL; build_run() goes through them */
	const char *shown_platform;        /* it, if the build is for several; NULL */
	const char *pull;                  /* missing (NULL), always, never, newer */
	const struct named_list *contexts; /* named.h; NULL: none */
	const struct cache_specs *cache_from, *cache_to;
	const struct caches_in *caches; /* those that are open; build_run() sees to that */
	const struct strv *uncached;    /* stages of which nothing is taken from the cache */
	const char *network;            /* of RUN; NULL: the usual one */
	const struct strv *build_args, *labels,
		*secrets; /* NAME=VALUE; secrets: id=NAME,src=FILE */
	/* Of the containers of RUN: limits, rights, names, volumes; no root and no command. */
	const struct container_options *run;
	const struct strv *ssh;          /* ID[=PATH,...], see ssh.h */
	const struct strv *allow;        /* rights that the file may use: security.insecure */
	const struct image_edits *edits; /* NULL: none */
	const char *from;                /* in place of the first FROM's image; NULL */
	int64_t step_age_ns;             /* what a step from the cache may have; 0: any */
	bool all_stages;                 /* those that the target does not need, too */
	unsigned retries;                /* to fetch an image */
	int retry_delay_ms;
	const char *manifest;     /* an index that the images go into, too; NULL */
	const struct strv *names; /* canonical, for the image */
	int64_t newest_s;         /* SOURCE_DATE_EPOCH; -1: not given */
	unsigned jobs; /* stages at the same time; 0: as many as there is work for processors */
	bool no_cache, show_changes, debug, squash, squash_all;
	/* what comes of it */
	const struct outputs *outputs;
	const struct annotations *annotations;
	const char *format; /* of a manifest: "oci", "docker"; NULL: made when it is needed */
	const struct strv *registry_flags; /* for strake-image: how registries are spoken with */
	bool wants_metadata;

	int tick_ms; /* so often BUILD_TICK is told while a RUN may go on; 0: never */
	void (*tell)(void *data, const struct build_told *told);
	void *data;
};

struct build_result {
	char id[ID_LEN + 1]; /* the image, or the index of several platforms */
	json_t *metadata;    /* if it was wanted; the caller's */
};

/* On failure *ret_fault says where in the file, if there. */
int build_run(struct engine *engine, const struct build_request *req, struct build_result *ret,
	      struct fault *ret_fault, struct error *err) must_check;

#endif

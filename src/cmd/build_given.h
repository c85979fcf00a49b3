/* src/cmd/build_given.h - options of build that take words: those of which one can be had here, and
 * those that are on or off.
 */
#ifndef CMD_BUILD_GIVEN_H
#define CMD_BUILD_GIVEN_H

#include <stddef.h>

#include "base/error.h"

struct build_args;
struct build_request;
struct image_edits;
struct strv;

/* An option of which only some words can be had. */
struct given_only {
	const char *name, *text, *only, *why; /* text NULL: it was not given */
};
int given_only(const struct given_only *given, size_t n, struct error *err) must_check;

/* --pull in all spellings; NULL: nothing was said. */
int given_pull(const char *text, struct build_request *req, struct error *err) must_check;
/* OS/ARCH[/VARIANT] of its parts, what is not said is this machine's; NULL: none was.  The caller
 * frees.
 */
char *given_platform(const char *arch, const char *os, const char *variant);
struct given_registry {
	const char *tls_verify, *auth_file, *credentials, *cert_dir;
};
/* As flags of the program that speaks with registries. */
void given_registry(const struct given_registry *given, struct strv *ret);

/* What scripts for others say is so here, or cannot be had. */
int given_check(const struct build_args *args, struct error *err) must_check;
/* --env, --unsetlabel, --layers and their like. */
int given_edits(const struct build_args *args, struct image_edits *ret, struct build_request *req,
		struct error *err) must_check;

#endif

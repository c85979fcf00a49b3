/* src/builder/context.h - what "build CONTEXT" names: a directory, an archive of one, standard
 * input, a git repository, the URL of an archive or of a Containerfile.
 *
 * With it come the Containerfile and the ignore file.  What is no directory of this machine comes
 * into the store's temporary directory, which goes with context_done().
 */
#ifndef BUILDER_CONTEXT_H
#define BUILDER_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "builder/ignore.h"
#include "image/incoming.h"

struct engine;
struct strv;

struct context {
	int fd;     /* the directory; -1: there is none, only a Containerfile */
	char *file; /* the Containerfile's bytes */
	size_t len;
	char *name; /* of it, for errors */
	struct ignore ignore;
	struct incoming in; /* of an archive */
};
#define CONTEXT_INIT ((struct context) { .fd = -1, .in = INCOMING_INIT })

struct context_request {
	const char *path; /* a directory, an archive, "-", a URL */
	const char *file; /* --file: a path, or "-"; NULL: the usual names in the context */
	const struct strv *secrets; /* passwords for what is fetched (remote.h) */
	const char
		*ignore_file; /* --ignorefile, as the user's shell sees it; NULL: the context's */
	bool keeps_git_dir;
	bool takes_input; /* standard input is for something else */
	bool files_alone; /* no Containerfile is looked for in it */
};

int context_open(struct engine *engine, const struct context_request *req, struct context *ret,
		 struct error *err) must_check;
void context_done(struct context *context);

#endif

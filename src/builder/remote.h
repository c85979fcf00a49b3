/* src/builder/remote.h - a source of ADD that is elsewhere: a file by its URL, a git repository.
 *
 * First it is looked at (what the server says of it, which commit is meant), which is enough to
 * know whether the step was done before; then it is brought, into a directory of the store's.
 */
#ifndef BUILDER_REMOTE_H
#define BUILDER_REMOTE_H

#include <stdbool.h>

#include "base/error.h"
#include "builder/fetch.h"
#include "builder/git.h"
#include "builder/git_source.h"

struct incoming;
struct strv;

struct remote {
	char *text; /* as it was written */
	bool is_git;
	struct git_source git;
	char *checksum; /* of a file: "sha256:..." is known; NULL */
	struct git_found found;
	struct fetch fetch;
	bool is_open;
	int work; /* what git works in */
	char *work_path;
	int root;     /* where it is, once it was brought; -1 */
	char *name;   /* of the file in root; "." for a tree */
	char *stands; /* what stands for its bytes, "" if nothing does before they are here */
};

/* What a build gives all of them. */
struct remote_request {
	const struct engine *engine;
	const struct strv *secrets; /* passwords, by their names' rules */
	const struct incoming *in;  /* directories are made below its own */
	const char *agent;          /* of ssh keys given to the build; NULL */
	bool is_typed;              /* by the user himself, whose own keys and files are meant */
};

/* checksum: of --checksum, or NULL.  1: it is a path like any other. */
int remote_parse(const char *text, const char *checksum, struct remote *ret,
		 struct error *err) must_check;
/* Fills stands. */
int remote_look(struct remote *r, const struct remote_request *req, struct error *err) must_check;
int remote_bring(struct remote *r, const struct remote_request *req, struct error *err) must_check;
/* What was brought of it, so that it can be brought again. */
void remote_forget(struct remote *r);
void remote_done(struct remote *r);

/* "sha256:..." with its digits; -EINVAL. */
int checksum_parse(const char *text, const char **ret_hex, struct error *err) must_check;

#endif

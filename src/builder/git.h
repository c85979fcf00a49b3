/* src/builder/git.h - files of a git repository, by Debian's git.
 *
 * git runs confined, without hooks, without anybody's configuration, and only with the protocols
 * that the source is about: as nobody for http and git://, as the caller for ssh and a repository
 * of this machine, whose keys and files nobody else may read.
 */
#ifndef BUILDER_GIT_H
#define BUILDER_GIT_H

#include <stdbool.h>

#include "base/error.h"

#define GIT_COMMIT_LEN 64 /* SHA-1 has 40 */
#define GIT_NAME_MAX   1024

/* What a ref means on the other side. */
struct git_found {
	char name[GIT_NAME_MAX];         /* "refs/tags/v1"; "" for a commit */
	char commit[GIT_COMMIT_LEN + 1]; /* "" if only fetching can tell: the start of one */
};

struct git_source;

struct git_request {
	const struct git_source *source;
	int work;                  /* a directory of its own, empty */
	const char *work_path;     /* of it */
	const char *authorization; /* a header's value, for http; NULL */
	const char *agent;         /* path of an agent's socket, for ssh; NULL: as the caller's */
	bool only_agent;           /* no other keys of the caller's, and none of his ssh settings */
};

int git_resolve(const struct git_request *req, struct git_found *ret, struct error *err) must_check;
/* Its files, or those of the directory asked for, in *ret, below work; an empty commit is filled
 * in. */
int git_checkout(const struct git_request *req, struct git_found *found, int *ret,
		 struct error *err) must_check;

#endif

/* src/builder/git_source.h - the text that names a git repository and what is wanted of it.
 *
 * "https://host/x.git#REF:DIR", "git@host:x.git", "ssh://...", "git://...", "file:///...", or with
 * a query: "https://host/x.git?ref=v1&subdir=a".  What comes out cannot be taken for an option by a
 * program that gets it as a word.
 */
#ifndef BUILDER_GIT_SOURCE_H
#define BUILDER_GIT_SOURCE_H

#include <stdbool.h>

#include "base/error.h"

enum git_transport { GIT_HTTP, GIT_DAEMON, GIT_SSH, GIT_FILE };

struct git_source {
	enum git_transport transport;
	char *url;    /* for git: without fragment and query */
	char *ref;    /* branch, tag, full name or commit; NULL: what HEAD is there */
	char *dir;    /* of its tree, clean; NULL: all */
	char *commit; /* what the ref has to mean, or how that starts; NULL */
	bool keeps_git_dir, no_submodules;
};

/* 1: it names no git repository. */
int git_source_parse(const char *text, struct git_source *ret, struct error *err) must_check;
void git_source_done(struct git_source *s);

/* A URL of a file: http or https. */
bool url_is_http(const char *text);
/* The last component of an http URL's path, heap, NULL if it has none that names a file. */
char *url_file_name(const char *url);
/* "host" or "host:port" of a URL with a scheme; heap. */
char *url_host(const char *url);
/* For people: without user and password; heap. */
char *url_shown(const char *url);

#endif

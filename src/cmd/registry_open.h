/* src/cmd/registry_open.h - from options to an open strake-registry. */
#ifndef CMD_REGISTRY_OPEN_H
#define CMD_REGISTRY_OPEN_H

#include "base/error.h"

struct progress;
struct registry_args;
struct remote;
struct remote_options;
struct strv;

/* The strings are borrowed from args; program is the caller's to free. */
int registry_options(const struct registry_args *args, struct progress *progress,
		     char **ret_program, struct remote_options *ret, struct error *err) must_check;
int registry_open(const struct registry_args *args, struct progress *progress,
		  const struct strv *names, const struct strv *hosts, struct remote **ret,
		  struct error *err) must_check;
/* The one name that the i-th stands for, saying what a short one was taken for. */
int registry_name(struct remote *remote, size_t i, const char *typed, struct progress *progress,
		  char **ret, struct error *err) must_check;

#endif

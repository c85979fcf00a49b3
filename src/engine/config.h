/* src/engine/config.h - from what the user asked and what the image says to an OCI config.json. */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* Of a container whose image says none. */
#define CONFIG_DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct container;
struct container_options;
struct engine;
struct root;
struct strv;

struct config_request {
	const struct container_options *options;
	const struct root *root;
	const struct container *container;
	const char *dir;   /* containers/ID: upper, work, merged, etc files */
	const char *netns; /* path of its network namespace; NULL: the host's */
	bool is_joined;    /* that namespace is another's: its sysctls stay */
	const char *hostname;
};

/* The caller owns *ret. */
int config_build(const struct engine *engine, const struct config_request *req, json_t **ret,
		 struct error *err) must_check;

/* Entrypoint and command of the image with what the user put in their place (Docker's rules). */
int config_command(const struct container_options *options, const struct root *root,
		   struct strv *ret, struct error *err) must_check;

/* Whether it has resolv.conf, hosts and hostname in /etc. */
bool config_wants_names(const struct container_options *options, const struct root *root);

/* Sets NAME=VALUE in env, or for a bare NAME copies ours, if there is one. */
int config_env(struct strv *env, const struct strv *assignments, struct error *err) must_check;
/* The same from a file of such lines; # begins a comment. */
int config_env_file(struct strv *env, const char *path, struct error *err) must_check;

/* "terminal" and, if standard input is one, its size as "consoleSize". */
void config_set_terminal(json_t *process, bool tty);

#endif

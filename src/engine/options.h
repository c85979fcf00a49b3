/* src/engine/options.h - what a user may ask of a new container, before anything is looked up.
 *
 * The types are those that base/opt.h fills, so that a table of rows in cmd/ fills it directly.
 * Strings are borrowed from argv, lists own their copies.
 */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct buf;
struct image_config;
struct json_t;

/* A root that the caller has put together: what a build step runs in. */
struct prepared_root {
	const char *source;        /* what ps shows as its image */
	const struct strv *layers; /* the uppermost first; at least one */
	const struct image_config *config;
	struct json_t *mounts; /* OCI mounts, beside those of the options */
};

#define STOP_TIMEOUT_DEFAULT 10 /* seconds */

struct container_options {
	/* what its root is: exactly one of image (or a path, see root.h), rootfs, bare,
	 * prepared */
	const char *image;
	const char *rootfs;
	const char *bare;
	const struct prepared_root *prepared; /* or this one */
	bool with_libs;
	struct strv with; /* lists of what else it needs, see supply.h */
	const char *platform;
	const char *pull; /* missing (also NULL), always, never: from a registry */

	/* what runs */
	char *const *command; /* NULL-terminated; may be empty */
	size_t ncommand;
	const char *entrypoint; /* NULL: the image's; "": none */
	const char *user;       /* USER[:GROUP], names or numbers */
	const char *workdir;
	struct strv env;      /* NAME=VALUE, or NAME to copy ours */
	struct strv env_file; /* files of such lines */
	bool tty, interactive, detach, remove, init;

	/* what it is called */
	const char *name;
	const char *hostname;
	struct strv labels;
	const char *cidfile;

	/* what it may touch */
	struct strv volumes; /* SOURCE:DEST[:OPTIONS] */
	struct strv tmpfs;   /* DEST[:OPTIONS] */
	bool read_only, privileged;
	struct strv cap_add, cap_drop;
	struct strv devices;   /* of the host: PATH[:INSIDE][:rwm] */
	struct strv group_add; /* further groups of its user, names or numbers */
	struct strv security;  /* seccomp=unconfined|FILE, no-new-privileges */
	struct strv ulimits;   /* NAME=SOFT[:HARD] */
	struct strv sysctls;   /* NAME=VALUE */
	/* Whose namespaces: host, a path; NULL, private: its own. */
	const char *pid, *ipc, *uts, *cgroupns;

	/* how much */
	uint64_t memory;                       /* bytes; 0: no limit */
	const char *memory_swap;               /* memory and swap together; -1: no limit */
	const char *cpus;                      /* decimal number of CPUs */
	int cpu_period, cpu_quota, cpu_shares; /* microseconds; a weight; 0: the default */
	const char *cpuset_cpus, *cpuset_mems; /* 0-3,5 */
	int pids_limit;                        /* 0: the default; -1: none */
	uint64_t shm_size;

	/* network */
	struct strv networks;       /* NAME[:KEY=VALUE,...], bridge if empty; or one of none, host,
				       container:NAME, a path */
	const char *ip, *ip6, *mac; /* in the first network */
	struct strv aliases;        /* in all of them */
	const char *rate_up, *rate_down;
	bool publish_all;
	struct strv expose;  /* PORT[-PORT][/PROTO], for publish_all */
	struct strv publish; /* [IP:][HOST]:CONTAINER[/PROTO] */
	struct strv dns, dns_search, dns_option;
	struct strv add_host;       /* NAME:ADDRESS, or NAME:host-gateway */
	bool no_hosts, no_hostname; /* /etc/hosts, /etc/hostname are the image's */

	const char *stop_signal;
	int stop_timeout; /* seconds; -1: for ever */

	bool print_config;
	struct buf *last_words; /* in the foreground: the end of its output; or NULL */
	/* In the foreground: takes its output (monitor/client.h), and a signal kills it. */
	void (*output)(void *data, bool is_error, const void *bytes, size_t len);
	void *output_data;
	bool ends_by_signal;
	/* In the foreground: it ends with the process that made it, however that dies, and is kept
	 * only for as long as that lives.
	 */
	bool tied;
};

#endif

/* src/runtime/spec.h - config.json, read once into what the rest of the runtime can rely on.
 *
 * OCI runtime-spec 1.x, Linux.  Whatever is in a struct spec is valid: names are known, numbers are
 * in range, paths that must be absolute are.  Unknown members are ignored, as the specification
 * asks; unknown words where it lists the words are errors that name their place.
 */
#ifndef RUNTIME_SPEC_H
#define RUNTIME_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"
#include "kernel/capability.h"
#include "kernel/cgroup.h"
#include "kernel/mount.h"

#define SPEC_MAPS_MAX 340 /* what the kernel takes */

struct spec_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
};

struct spec_process {
	bool terminal;
	unsigned console_height, console_width; /* 0: unset */
	uid_t uid;
	gid_t gid;
	bool has_umask;
	mode_t umask;
	gid_t *groups;
	size_t ngroups;
	struct strv args, env;
	char *cwd;
	bool has_capabilities;
	struct capability_sets capabilities;
	struct spec_rlimit *rlimits;
	size_t nrlimits;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj;
};

struct spec_mount {
	char *destination; /* absolute inside; "/" only in the first: the root itself */
	char *type;        /* "bind" if options say so */
	char *source;      /* of a bind: absolute on the host */
	struct mount_options options;
};

struct spec_namespace {
	int flag;   /* CLONE_NEW* */
	char *path; /* to join; NULL: a new one */
};

struct spec_map {
	uint32_t inside, outside, count;
};

struct spec_device {
	char *path;
	mode_t mode; /* type and permissions */
	int64_t major, minor;
	uid_t uid;
	gid_t gid;
};

enum spec_hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	N_HOOK_KINDS
};

struct spec_hook {
	char *path;
	struct strv args, env;
	int timeout_s; /* 0: none */
};

struct spec_hooks {
	struct spec_hook *items;
	size_t n;
};

struct spec {
	char *version;
	struct spec_process *process; /* NULL: nothing can be started */
	char *root;                   /* absolute path on the host */
	bool root_read_only;
	char *hostname, *domainname;
	struct spec_mount *mounts;
	size_t nmounts;
	struct spec_namespace *namespaces;
	size_t nnamespaces;
	struct spec_map *uid_maps, *gid_maps;
	size_t nuid_maps, ngid_maps;
	struct spec_device *devices;
	size_t ndevices;
	char *cgroups_path; /* NULL: the runtime chooses */
	struct cgroup_limits limits;
	struct strv sysctls; /* "net.ipv4.ip_forward=1" */
	struct strv masked_paths, read_only_paths;
	uint64_t root_propagation; /* MS_* or 0 */
	bool root_propagation_recursive;
	json_t *seccomp; /* NULL: none */
	struct spec_hooks hooks[N_HOOK_KINDS];
	json_t *annotations; /* NULL: none */
};

/* bundle is what relative paths in it mean, and names the document in errors. */
int spec_parse(const char *bytes, size_t len, const char *bundle, struct spec **ret,
	       struct error *err) must_check;
int spec_load(const char *bundle, struct spec **ret, struct error *err) must_check;
int spec_from_json(const json_t *doc, const char *bundle, struct spec **ret,
		   struct error *err) must_check;
void spec_free(struct spec *spec); /* NULL is fine */
DEFINE_CLEANUP(struct spec *, spec, spec_free);

int spec_process_from_json(const json_t *doc, struct spec_process **ret,
			   struct error *err) must_check;
void spec_process_free(struct spec_process *process);
DEFINE_CLEANUP(struct spec_process *, spec_process, spec_process_free);

/* Whether there is a namespace of this kind: *ret_path is what to join, or NULL for a new one. */
bool spec_namespace_find(const struct spec *spec, int flag, const char **ret_path);
bool spec_has_new(const struct spec *spec, int flag);

#endif

/* src/cmd/runtime_spec.c - strake-runtime spec and features */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "kernel/capability.h"
#include "runtime/default_spec.h"

struct spec_args {
	const char *bundle;
};

static const struct opt spec_opts[] = {
	OPT(struct spec_args, bundle, "bundle", 'b', "DIR", "write it there (default: here)"),
	{ 0 },
};

static int spec_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct spec_args *args = data;
	cleanup(json_cleanup) json_t *doc = default_spec();
	autofree char *path = xasprintf("%s/config.json", args->bundle ? args->bundle : ".");

	(void)globals;
	(void)argc;
	(void)argv;
	if (access(path, F_OK) == 0)
		return error_set(err, -EEXIST, "%s exists; remove it first", path);
	return json_save_at(AT_FDCWD, path, doc, false, err);
}

const struct cmd cmd_runtime_spec = {
	.name = "spec",
	.operands = "",
	.help = "Write a config.json to start from",
	.opts = spec_opts,
	.args_size = sizeof(struct spec_args),
	.run_alone = spec_run,
};

/* features.md of the specification */
static int features_run(const void *globals, const void *args, int argc, char **argv,
			struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	json_t *caps = json_array();
	const char *name;

	(void)globals;
	(void)args;
	(void)argc;
	(void)argv;
	(void)err;
	for (int cap = 0; (name = capability_name(cap)); cap++)
		(void)json_array_append_new(caps, json_string(name));
	doc = json_pack("{s:s, s:s, s:[s,s,s,s,s,s],"
			" s:{s:[s,s,s,s,s,s,s], s:o, s:{s:b, s:b, s:b, s:b}, s:{s:b}}}",
			"ociVersionMin", "1.0.0", "ociVersionMax", "1.2.0", "hooks", "prestart",
			"createRuntime", "createContainer", "startContainer", "poststart",
			"poststop", "linux", "namespaces", "cgroup", "ipc", "mount", "network",
			"pid", "user", "uts", "capabilities", caps, "cgroup", "v1", 1, "v2", 1,
			"systemd", 0, "rootless", 0, "seccomp", "enabled", 1);
	(void)json_dumpf(doc, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	return 0;
}

const struct cmd cmd_runtime_features = {
	.name = "features",
	.operands = "",
	.help = "Print what this runtime can do",
	.run_alone = features_run,
};

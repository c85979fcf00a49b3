/* src/cmd/manifest_options.h - the options of strake manifest, for the program that shows them and
 * the one that heeds them.
 */
#ifndef CMD_MANIFEST_OPTIONS_H
#define CMD_MANIFEST_OPTIONS_H

#include <stdbool.h>

#include "base/opt.h"
#include "base/strv.h"
#include "cmd/registry_options.h"

struct manifest_create_args {
	bool all, amend;
	struct strv annotations;
};

struct manifest_add_args {
	const char *os, *arch, *variant, *os_version;
	struct strv os_features, annotations;
	bool all;
};

struct manifest_annotate_args {
	const char *os, *arch, *variant, *os_version;
	struct strv os_features, annotations;
	bool index;
};

/* The index goes out with what it lists, always: registries refuse one whose images they lack. */
struct manifest_push_args {
	struct registry_args registry;
	const char *digest_file;
	bool all, quiet;
};

extern const struct opt manifest_create_opts[], manifest_add_opts[], manifest_annotate_opts[],
	manifest_push_opts[];

#endif

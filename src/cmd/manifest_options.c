/* src/cmd/manifest_options.c */
#include "cmd/manifest_options.h"

const struct opt manifest_create_opts[] = {
	OPT(struct manifest_create_args, all, "all", 'a', NULL,
	    "of an IMAGE that is an index: all that it lists, not only what fits this machine"),
	OPT(struct manifest_create_args, amend, "amend", 0, NULL, "add to an index that is there"),
	OPT(struct manifest_create_args, annotations, "annotation", 0, "NAME=VALUE",
	    "a note about the index"),
	{ 0 },
};

#define PLATFORM_ROWS(type)                                                                        \
	OPT(type, os, "os", 0, "OS", "what the image says if not given"),                          \
		OPT(type, arch, "arch", 0, "ARCH", "amd64, arm64 and so on"),                      \
		OPT(type, variant, "variant", 0, "VARIANT", "of the architecture, such as v8"),    \
		OPT(type, os_version, "os-version", 0, "VERSION", "of the system, for Windows"),   \
		OPT(type, os_features, "os-features", 0, "FEATURE", "that the system must have")

const struct opt manifest_add_opts[] = {
	PLATFORM_ROWS(struct manifest_add_args),
	OPT(struct manifest_add_args, annotations, "annotation", 0, "NAME=VALUE",
	    "a note about the image in this index"),
	OPT(struct manifest_add_args, all, "all", 0, NULL,
	    "of an IMAGE that is an index: all that it lists, not only what fits this machine"),
	{ 0 },
};

const struct opt manifest_annotate_opts[] = {
	PLATFORM_ROWS(struct manifest_annotate_args),
	OPT(struct manifest_annotate_args, annotations, "annotation", 0, "NAME=VALUE",
	    "a note; NAME= takes one away"),
	OPT(struct manifest_annotate_args, index, "index", 0, NULL,
	    "of the index itself; no IMAGE is named"),
	{ 0 },
};

const struct opt manifest_push_opts[] = {
	OPT(struct manifest_push_args, all, "all", 0, NULL,
	    "with the images that it lists; without it, too: registries refuse an index alone"),
	OPT(struct manifest_push_args, digest_file, "digestfile", 0, "FILE",
	    "write the digest that the index has there"),
	OPT(struct manifest_push_args, quiet, "quiet", 'q', NULL, "print nothing"),
	REGISTRY_OPTS(struct manifest_push_args),
	{ 0 },
};

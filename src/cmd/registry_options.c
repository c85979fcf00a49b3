/* src/cmd/registry_options.c */
#include "cmd/registry_options.h"

const struct opt pull_opts[] = {
	OPT(struct pull_args, platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "which variant of an image for several (default: this machine's)"),
	OPT(struct pull_args, when, "policy", 0, "WHEN",
	    "always (default), or missing: only what is not here"),
	OPT(struct pull_args, policy, "signature-policy", 0, "FILE",
	    "instead of the usual policy.json"),
	OPT(struct pull_args, quiet, "quiet", 'q', NULL, "print nothing but the image's ID"),
	REGISTRY_OPTS(struct pull_args),
	{ 0 },
};

const struct opt push_opts[] = {
	OPT(struct push_args, format, "format", 'f', "oci|docker",
	    "of a manifest that has to be made (default oci)"),
	OPT(struct push_args, compression, "compression", 0, "gzip|zstd|none",
	    "of layers that were made here (default gzip)"),
	OPT(struct push_args, digest_file, "digestfile", 0, "FILE",
	    "write the digest that the image has there"),
	OPT(struct push_args, chunk, "chunk-size", 0, "SIZE",
	    "upload in parts of that size (default: one part)"),
	OPT(struct push_args, quiet, "quiet", 'q', NULL, "print nothing"),
	REGISTRY_OPTS(struct push_args),
	{ 0 },
};

const struct opt login_opts[] = {
	OPT(struct login_args, user, "username", 'u', "USER", "who (asked for otherwise)"),
	OPT(struct login_args, password, "password", 'p', "PASSWORD",
	    "others can see it in the list of processes; better:"),
	OPT(struct login_args, password_stdin, "password-stdin", 0, NULL,
	    "read the password from standard input"),
	OPT(struct login_args, get_login, "get-login", 0, NULL,
	    "print who is logged in, change nothing"),
	REGISTRY_OPTS(struct login_args),
	{ 0 },
};

const struct opt logout_opts[] = {
	OPT(struct logout_args, auth_file, "authfile", 0, "FILE",
	    "passwords, instead of the usual files"),
	{ 0 },
};

const struct opt copy_opts[] = {
	OPT(struct copy_args, all, "all", 'a', NULL, "all platforms of an image for several"),
	OPT(struct copy_args, platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "which of them (default: this machine's)"),
	OPT(struct copy_args, referrers, "referrers", 0, NULL,
	    "signatures and other artifacts that refer to it, too"),
	OPT(struct copy_args, policy, "signature-policy", 0, "FILE",
	    "instead of the usual policy.json"),
	OPT(struct copy_args, digest_file, "digestfile", 0, "FILE",
	    "write the digest of what was copied there"),
	OPT(struct copy_args, quiet, "quiet", 'q', NULL, "print nothing"),
	REGISTRY_OPTS(struct copy_args),
	{ 0 },
};

const struct opt tags_opts[] = {
	OPT(struct list_args, format, "format", 0, "FORMAT", "list (default) or json"),
	REGISTRY_OPTS(struct list_args),
	{ 0 },
};

const struct opt search_opts[] = {
	OPT(struct list_args, registry_name, "registry", 0, "HOST",
	    "where (default docker.io; or write HOST/TERM)"),
	OPT(struct list_args, limit, "limit", 0, "N", "at most so many (default 25)"),
	OPT(struct list_args, format, "format", 0, "FORMAT", "table (default) or json"),
	REGISTRY_OPTS(struct list_args),
	{ 0 },
};

const struct opt referrers_opts[] = {
	OPT(struct list_args, type, "type", 0, "TYPE", "only artifacts of that type"),
	OPT(struct list_args, format, "format", 0, "FORMAT", "table (default) or json"),
	REGISTRY_OPTS(struct list_args),
	{ 0 },
};

const struct opt remote_inspect_opts[] = {
	OPT(struct remote_inspect_args, platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "which variant of an image for several (default: this machine's)"),
	OPT(struct remote_inspect_args, raw, "raw", 0, NULL, "the manifest, byte by byte"),
	OPT(struct remote_inspect_args, config, "config", 0, NULL, "the image's configuration"),
	REGISTRY_OPTS(struct remote_inspect_args),
	{ 0 },
};

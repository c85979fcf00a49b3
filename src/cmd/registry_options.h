/* src/cmd/registry_options.h - the options of the commands about registries, for the program that
 * shows them and the one that heeds them.
 */
#ifndef CMD_REGISTRY_OPTIONS_H
#define CMD_REGISTRY_OPTIONS_H

#include <stdbool.h>

#include "base/opt.h"

/* How to come in; part of each command's own. */
struct registry_args {
	const char *auth_file, *credentials, *cert_dir, *tls_verify, *registries_conf;
	int retry, stall;
};

/* Their rows, for a table whose struct has them as registry. */
#define REGISTRY_OPTS(type)                                                                        \
	OPT(type, registry.auth_file, "authfile", 0, "FILE",                                       \
	    "passwords, instead of the usual files"),                                              \
		OPT(type, registry.credentials, "creds", 0, "USER:PASSWORD",                       \
		    "instead of those of a login"),                                                \
		OPT(type, registry.cert_dir, "cert-dir", 0, "DIR",                                 \
		    "CAs (*.crt) and our certificate (*.cert, *.key)"),                            \
		OPT(type, registry.tls_verify, "tls-verify", 0, "true|false",                      \
		    "false: certificates are not checked, and plain HTTP is tried"),               \
		OPT(type, registry.registries_conf, "registries-conf", 0, "FILE",                  \
		    "instead of the usual registries.conf"),                                       \
		OPT(type, registry.retry, "retry", 0, "N",                                         \
		    "tries after a failure that may pass (default 5)"),                            \
		OPT(type, registry.stall, "stall", 0, "SECONDS",                                   \
		    "a connection without a byte for so long has failed (default 60)")

struct pull_args {
	struct registry_args registry;
	const char *platform, *policy, *when;
	bool quiet;
};

struct push_args {
	struct registry_args registry;
	const char *format, *compression, *digest_file;
	uint64_t chunk;
	bool quiet;
};

struct login_args {
	struct registry_args registry;
	const char *user, *password;
	bool password_stdin, get_login;
};

struct logout_args {
	const char *auth_file;
	bool all;
};

struct copy_args {
	struct registry_args registry;
	const char *platform, *policy, *digest_file;
	bool all, quiet, referrers;
};

struct list_args {
	struct registry_args registry;
	const char *format, *type, *registry_name;
	int limit;
	bool quiet;
};

struct remote_inspect_args {
	struct registry_args registry;
	const char *platform;
	bool raw, config;
};

extern const struct opt pull_opts[], push_opts[], login_opts[], logout_opts[], copy_opts[],
	tags_opts[], search_opts[], referrers_opts[], remote_inspect_opts[];

#endif

/* src/cmd/registry_front.c - the commands about registries, as strake shows them; strake-image does
 * them.
 */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/registry_options.h"

HANDOVER("strake-image", pull, "pull", pull_opts)
HANDOVER("strake-image", push, "push", push_opts)
HANDOVER("strake-image", login, "login", login_opts)
HANDOVER("strake-image", logout, "logout", logout_opts)
HANDOVER("strake-image", copy, "copy", copy_opts)
HANDOVER("strake-image", tags, "tags", tags_opts)
HANDOVER("strake-image", search, "search", search_opts)
HANDOVER("strake-image", referrers, "referrers", referrers_opts)

const struct cmd cmd_pull = {
	.name = "pull",
	.operands = "IMAGE...",
	.help = "Fetch images from a registry",
	.details =
		"A name without a registry is looked up as registries.conf says (aliases, then\n"
		"unqualified-search-registries); without such a file it is docker.io's. Mirrors, certificates\n"
		"(certs.d), logins and policy.json of Podman and Docker are heeded. Each byte is checked\n"
		"against its digest; what was fetched of a layer is kept when a pull is interrupted, and the\n"
		"next one goes on from there. The image is there as a whole or not at all.",
	.opts = pull_opts,
	.args_size = sizeof(struct pull_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = pull_run,
};

const struct cmd cmd_push = {
	.name = "push",
	.operands = "IMAGE [DESTINATION]",
	.help = "Send an image to a registry",
	.details =
		"DESTINATION is another name to send it under. What was pulled goes out with the same bytes,\n"
		"and so the same digest; layers that the registry has are not sent again.",
	.opts = push_opts,
	.args_size = sizeof(struct push_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = push_run,
};

const struct cmd cmd_login = {
	.name = "login",
	.operands = "[REGISTRY]",
	.help = "Keep a password for a registry",
	.details =
		"It is tried first, and kept in the file that Podman and skopeo read, too, or by the\n"
		"credential helper that this file names. REGISTRY is docker.io if not given; it may have a\n"
		"path (quay.io/team), for which alone the password is then used.",
	.opts = login_opts,
	.args_size = sizeof(struct login_args),
	.max_operands = 1,
	.run_alone = login_run,
};

const struct cmd cmd_logout = {
	.name = "logout",
	.operands = "[REGISTRY]",
	.help = "Forget a password for a registry",
	.opts = logout_opts,
	.args_size = sizeof(struct logout_args),
	.max_operands = 1,
	.run_alone = logout_run,
};

const struct cmd cmd_copy = {
	.name = "copy",
	.operands = "SOURCE DESTINATION",
	.help = "Copy an image between registries, directories, archives and the store",
	.details =
		"SOURCE and DESTINATION are written as skopeo does: docker://NAME (a registry), store:NAME,\n"
		"oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], dir:DIR. Bytes stay as\n"
		"they are, and so do digests, except into a docker-archive (it has plain layers), and of\n"
		"Docker's manifests into oci: and oci-archive: (they become OCI's).",
	.opts = copy_opts,
	.args_size = sizeof(struct copy_args),
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = copy_run,
};

const struct cmd cmd_tags = {
	.name = "tags",
	.operands = "REPOSITORY",
	.help = "List the tags that a registry has of an image",
	.opts = tags_opts,
	.args_size = sizeof(struct list_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = tags_run,
};

const struct cmd cmd_search = {
	.name = "search",
	.operands = "TERM",
	.help = "Look for images in a registry",
	.details =
		"Docker Hub has a search; of other registries the catalogue is looked through, if\n"
		"they show one.",
	.opts = search_opts,
	.args_size = sizeof(struct list_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = search_run,
};

const struct cmd cmd_referrers = {
	.name = "referrers",
	.operands = "IMAGE",
	.help = "List what a registry has about an image: signatures, SBOMs, attestations",
	.opts = referrers_opts,
	.args_size = sizeof(struct list_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = referrers_run,
};

/* src/cmd/archive_front.c - load, save, export, import and commit, as strake shows them:
 * strake-image does them.
 */
#include <limits.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/image_options.h"

HANDOVER("strake-image", load, "load", load_opts)
HANDOVER("strake-image", save, "save", save_opts)
HANDOVER("strake-image", export, "export", export_opts)
HANDOVER("strake-image", import, "import", import_opts)
HANDOVER("strake-image", commit, "commit", commit_opts)

const struct cmd cmd_load = {
	.name = "load",
	.operands = "",
	.help = "Bring in images from an archive or a directory",
	.details =
		"Reads what 'docker save', 'podman save', 'skopeo copy' and build tools write: docker-archive,\n"
		"OCI archive, OCI layout directory; plain, gzip or zstd. Every digest is verified. An image is\n"
		"there as a whole or not at all.",
	.opts = load_opts,
	.args_size = sizeof(struct load_args),
	.run_alone = load_run,
};

const struct cmd cmd_save = {
	.name = "save",
	.operands = "IMAGE...",
	.help = "Write images to an archive or a directory",
	.details =
		"docker-archive is what 'docker load' and 'podman load' read; the oci forms keep layers and\n"
		"manifests byte by byte as they came, and so their digests. Layers that several images share\n"
		"are written once. The file appears when it is whole.",
	.opts = save_opts,
	.args_size = sizeof(struct save_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = save_run,
};

const struct cmd cmd_export = {
	.name = "export",
	.operands = "CONTAINER",
	.help = "Write a container's files as a tar archive",
	.details = "All of its root as it sees it, without what is mounted there.",
	.opts = export_opts,
	.args_size = sizeof(struct export_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = export_run,
};

const struct cmd cmd_import = {
	.name = "import",
	.operands = "FILE|DIR|- [NAME]",
	.help = "Make an image of one layer out of a tar archive or a directory",
	.details = "The archive may be plain, gzip or zstd; '-' is standard input.",
	.opts = import_opts,
	.args_size = sizeof(struct import_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = import_run,
};

const struct cmd cmd_commit = {
	.name = "commit",
	.operands = "CONTAINER [NAME]",
	.help = "Make an image out of what a container changed",
	.details =
		"A new layer over the container's image; what it deleted is deleted there, too. Volumes and\n"
		"other mounts are no part of it. The config is the image's, changed by --change.",
	.opts = commit_opts,
	.args_size = sizeof(struct commit_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = commit_run,
};

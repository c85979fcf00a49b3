/* src/cmd/image_options.c */
#include "cmd/image_options.h"

#include <stdio.h>

const struct opt load_opts[] = {
	OPT(struct load_args, input, "input", 'i', "FILE|DIR",
	    "archive or OCI layout (default: standard input)"),
	OPT(struct load_args, platform, "platform", 0, "OS/ARCH",
	    "which platform of a multi-platform image"),
	OPT(struct load_args, all, "all-platforms", 0, NULL,
	    "all of them; the name stands for their index then"),
	OPT(struct load_args, quiet, "quiet", 'q', NULL, "print nothing but the image's ID"),
	{ 0 },
};

const struct opt save_opts[] = {
	OPT(struct save_args, output, "output", 'o', "FILE|DIR",
	    "where to (default: standard output)"),
	OPT(struct save_args, format, "format", 0, "FORMAT",
	    "docker-archive (default), oci-archive, oci-dir, docker-dir"),
	OPT(struct save_args, compression, "compression", 0, "gzip|zstd|none",
	    "of layers in all forms but docker-archive (default: as they came)"),
	{ 0 },
};

const struct opt export_opts[] = {
	OPT(struct export_args, output, "output", 'o', "FILE",
	    "where to (default: standard output)"),
	{ 0 },
};

const struct opt import_opts[] = {
	OPT(struct import_args, change, "change", 'c', "INSTRUCTION",
	    "of the config, as in a Containerfile: 'CMD [\"/app\"]'"),
	OPT(struct import_args, message, "message", 'm', "TEXT", "for the image's history"),
	OPT(struct import_args, platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "what the files are for (default: this machine)"),
	{ 0 },
};

const struct opt commit_opts[] = {
	OPT(struct commit_args, change, "change", 'c', "INSTRUCTION",
	    "of the config, as in a Containerfile: 'CMD [\"/app\"]'"),
	OPT(struct commit_args, author, "author", 'a', "TEXT", "who made it"),
	OPT(struct commit_args, message, "message", 'm', "TEXT", "for the image's history"),
	OPT(struct commit_args, pause, "pause", 'p', "true|false",
	    "keep its processes from running meanwhile (default true)"),
	{ 0 },
};

void image_note_left_out(const char *command, uint64_t n)
{
	if (n > 0)
		(void)fprintf(
			stderr,
			"strake %s: note: %llu device file%s left out, which a user namespace "
			"may not make\n",
			command, (unsigned long long)n, n == 1 ? " is" : "s are");
}

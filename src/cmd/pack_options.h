/* src/cmd/pack_options.h - the options of "image pack", for the program that shows them and the one
 * that heeds them.
 */
#ifndef CMD_PACK_OPTIONS_H
#define CMD_PACK_OPTIONS_H

#include "base/opt.h"

struct pack_args {
	bool with_libs;
	struct strv with, entrypoint, cmd, change;
};

static const struct opt pack_opts[] = {
	OPT(struct pack_args, with_libs, "with-libs", 0, NULL,
	    "of one executable: with the loader and libraries it needs"),
	OPT(struct pack_args, with, "with", 0, "NAME,...",
	    "of one executable: with ca-certificates, tzdata, passwd or tmp"),
	OPT(struct pack_args, entrypoint, "entrypoint", 0, "WORD", "a word of what always runs"),
	OPT(struct pack_args, cmd, "cmd", 0, "WORD",
	    "a word of what runs unless something is said"),
	OPT(struct pack_args, change, "change", 'c', "INSTRUCTION",
	    "as a Containerfile has it: 'ENV A=b', 'USER 33', 'EXPOSE 80'"),
	{ 0 },
};

#endif

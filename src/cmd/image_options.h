/* src/cmd/image_options.h - the options of the commands about archives, for the program that shows
 * them and the one that heeds them.
 */
#ifndef CMD_IMAGE_OPTIONS_H
#define CMD_IMAGE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/strv.h"

struct load_args {
	const char *input, *platform;
	bool all, quiet;
};

struct save_args {
	const char *output, *format, *compression;
};

struct export_args {
	const char *output;
};

struct import_args {
	struct strv change;
	const char *message, *platform;
};

struct commit_args {
	struct strv change;
	const char *author, *message, *pause;
};

/* Says on standard error that device files could not be made; nothing for none. */
void image_note_left_out(const char *command, uint64_t n);

extern const struct opt load_opts[], save_opts[], export_opts[], import_opts[], commit_opts[];

#endif

/* src/disk/machine/words.h - what the kernel's command line has for us. */
#ifndef DISK_MACHINE_WORDS_H
#define DISK_MACHINE_WORDS_H

#include <stddef.h>

#define WORDS_TEXT_MAX 4096 /* COMMAND_LINE_SIZE is 2048 */
#define WORDS_MAX      256

struct words {
	char text[WORDS_TEXT_MAX];
	char *arguments[WORDS_MAX]; /* behind "--", in place of the image's CMD */
	size_t n;
	const char *network; /* of strake.network=, NULL: not there */
};

/* Splits *w's text in place, as the kernel does: blanks, and double quotes around them. */
void words_split(struct words *w);
void words_read(struct words *w); /* /proc/cmdline */

#endif

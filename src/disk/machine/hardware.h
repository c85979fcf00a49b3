/* src/disk/machine/hardware.h - what the kernel found on its buses, as modules name it. */
#ifndef DISK_MACHINE_HARDWARE_H
#define DISK_MACHINE_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>

#define HARDWARE_MAX 16384

struct hardware {
	char text[HARDWARE_MAX]; /* a line each: "pci:v00001AF4d00001000..." */
	size_t len;
	bool known; /* false: a module has come since */
};

/* Whether something is there that the pattern is for; looks again if it is not known. */
bool hardware_has(struct hardware *h, const char *pattern);
/* The same of a text that is known. */
bool hardware_matches(const struct hardware *h, const char *pattern);

#endif

/* src/image/platform.h - "linux/arm64/v8": which of an image's variants fits. */
#ifndef IMAGE_PLATFORM_H
#define IMAGE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

struct document;

#define PLATFORM_LEN 64

void platform_own(char ret[PLATFORM_LEN]); /* this machine's */
/* "linux/arm64" as a wish fits any variant of it. */
bool platform_fits(const char *platform, const char *wish);
/* The manifest of an index to take: position in doc->parts, or -1. */
int platform_choose(const struct document *index, const char *wish);

#endif

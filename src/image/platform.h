/* src/image/platform.h - "linux/arm64/v8": which of an image's variants fits. */
#ifndef IMAGE_PLATFORM_H
#define IMAGE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct document;

#define PLATFORM_LEN 64

void platform_own(char ret[PLATFORM_LEN]); /* this machine's */
/* What people type: "arm64", "linux/x86_64", "linux/arm/v7"; NULL is this machine's.  -EINVAL. */
int platform_parse(const char *text, char ret[PLATFORM_LEN], struct error *err) must_check;
/* Whether an image with only one is what was asked for: "it is linux/amd64, not linux/arm64".  wish
 * is what people type, NULL for whatever there is; a config without a platform fits.
 */
int platform_demand(const char *os, const char *arch, const char *wish,
		    struct error *err) must_check;
/* How well one fits a wish, 0 best, -1 not at all.  A machine runs older variants of its kind
 * (arm/v7 runs v6 and v5, amd64/v3 runs v2); a wish without a variant means the usual one,
 * arm64/v8, arm/v7, amd64/v1, and takes a newer one if there is nothing else.
 */
int platform_rank(const char *platform, const char *wish);
bool platform_fits(const char *platform, const char *wish);
/* The manifest of an index to take: position in doc->parts, or -1.  "unknown/unknown" is what an
 * attestation has.
 */
int platform_choose(const struct document *index, const char *wish);

#endif

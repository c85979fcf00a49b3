/* src/image/partial.h - ROOT/partial: what came of layers whose pull did not end. */
#ifndef IMAGE_PARTIAL_H
#define IMAGE_PARTIAL_H

#include <stdint.h>

#define PARTIAL_AGE_MAX (14 * 24 * 3600) /* seconds: whoever pulls removes what is older */

/* Removes what nobody is writing and was last written so many seconds ago; returns the bytes. */
int64_t partial_prune(int root_fd, int64_t older_s);

#endif

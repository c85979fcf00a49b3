/* src/image/alias.h - ROOT/blobs/sha512/HEX: the other name of a blob, by which some manifest lists
 * it.
 *
 * The store knows blobs by SHA-256 alone.  Who keeps a document that names one by SHA-512 has
 * computed both digests of the same bytes and leaves a link to "../sha256/HEX" behind: what goes
 * out is the document as it came, so its names have to be found again.  A name whose blob is gone
 * is none.
 */
#ifndef IMAGE_ALIAS_H
#define IMAGE_ALIAS_H

#include <stdbool.h>

#include "base/error.h"
#include "image/digest.h"

#define ALIAS_DIR "blobs/sha512"

/* Takes the place of what the name led to. */
int alias_set(int root_fd, const char *sha512, const char *sha256, struct error *err) must_check;
/* Returns whether there is a blob of that name. */
bool alias_get(int root_fd, const char *sha512, char ret[DIGEST_HEX_LEN + 1]);
/* Names whose blob is gone go.  Nothing may come in meanwhile (incoming.h). */
void alias_prune(int root_fd);

/* Below ROOT, of the digest "sha256:HEX" or "sha512:HEX". */
char *alias_path(const char *digest);

#endif

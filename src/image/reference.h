/* src/image/reference.h - the names of images: [DOMAIN/]PATH[:TAG][@DIGEST].
 *
 * The canonical form is what the database holds: "web" is docker.io/library/web:latest.  The
 * familiar one is what people see and type.  Grammar: distribution's reference.go, that every tool
 * follows.
 */
#ifndef IMAGE_REFERENCE_H
#define IMAGE_REFERENCE_H

#include <stdbool.h>

#include "base/error.h"

#define REFERENCE_MAX 576 /* bytes; a path is at most 255, a tag 128, a digest 135 */

/* ret holds REFERENCE_MAX bytes. */
int reference_canonical(const char *text, char ret[REFERENCE_MAX], struct error *err) must_check;
/* canonical is one, as above. */
void reference_familiar(const char *canonical, char ret[REFERENCE_MAX]);
/* "sha256:" and 64 lower-case hex digits. */
bool digest_is_valid(const char *text);
bool digest512_is_valid(const char *text); /* "sha512:" and 128 */

#endif

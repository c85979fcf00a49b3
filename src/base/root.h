/* src/base/root.h - where state lies when nobody says. */
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

#include "base/macros.h"

/* given, or for root /var/lib/strake and /run/strake, for a user what XDG says.  The caller frees.
 */
char *root_choose_lasting(const char *given) __attribute__((returns_nonnull));
char *root_choose_run(const char *given) __attribute__((returns_nonnull));

#endif

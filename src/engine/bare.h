/* src/engine/bare.h - one executable as a whole root file system.
 *
 * Finds what the file needs besides itself: nothing if it is static; else its loader and libraries,
 * which are named in an error, or brought along when the user asks (--with-libs).  Libraries are
 * looked for as the host's loader would (ld.so(8)): RPATH or RUNPATH with $ORIGIN, the directories
 * of /etc/ld.so.conf, the default ones.  Inside they all lie in /lib, where every loader looks.
 */
#ifndef ENGINE_BARE_H
#define ENGINE_BARE_H

#include "base/error.h"
#include "base/strv.h"

struct bare {
	char *host_path;  /* absolute, links resolved */
	char *inside;     /* "/hello" */
	struct strv from; /* further host files ... */
	struct strv to;   /* ... and where they lie inside */
};

int bare_plan(const char *file, bool with_libs, struct bare *ret, struct error *err) must_check;
void bare_done(struct bare *bare);

#endif

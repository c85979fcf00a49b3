/* src/image/hold.h - layers that somebody stands on who has no image of them: a build that goes on,
 * a working container.
 *
 * A holder is a name and the chain IDs that it holds; what is held is not removed with its image or
 * with the build cache, whoever does that and however long it takes.  A build's name says which
 * process it is, so that one that was killed is known as such and let go of by the next command;
 * any other name is a path in the store, and holds as long as that is there.
 */
#ifndef IMAGE_HOLD_H
#define IMAGE_HOLD_H

#include "base/error.h"
#include "base/process.h"

struct db;
struct strv;

#define HOLD_NAME_LEN (16 + BOOT_ID_LEN + 48)

/* The name for what this process holds as long as it lives. */
int hold_name(char ret[HOLD_NAME_LEN], struct error *err) must_check;

/* More layers, the lowest first.  -ENOENT: one is not in the store any more; then none was added.
 */
int hold_add(struct db *db, const char *name, const struct strv *chains,
	     struct error *err) must_check;
int hold_has(struct db *db, const char *name, const char *chain, bool *ret,
	     struct error *err) must_check;
/* Lets go of all but keep (NULL: of all).  Layers that nothing else has go, unless somebody brings
 * layers in just now: then they stay held until hold_sweep().
 */
int hold_release(struct db *db, int root_fd, const char *name, const struct strv *keep,
		 struct error *err) must_check;
/* The same for those that died. */
void hold_sweep(struct db *db, int root_fd);

#endif

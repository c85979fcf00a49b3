/* src/base/space.h - what to say when a disk is full: which one, how full, and what helps. */
#ifndef BASE_SPACE_H
#define BASE_SPACE_H

struct error;

/* Both add to a failure for want of room, and leave any other, and NULL, as it is.
 *
 * It was in root that there was no room.
 */
void space_explain(const char *root, struct error *err);
/* It was in root or in run_root (NULL: not there yet), if one of them is full; a table of the
 * kernel's may be, too, and then nothing is added.
 */
void space_advise(const char *root, const char *run_root, struct error *err);

#endif

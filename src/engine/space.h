/* src/engine/space.h - what to do when a disk is full. */
#ifndef ENGINE_SPACE_H
#define ENGINE_SPACE_H

struct engine;
struct error;

/* Adds to a failure for lack of room which file system is full and what makes room.  Another one,
 * and one that a file system with room is not to blame for (addresses run out, too), stays as it
 * is.
 */
void space_advise(struct engine *engine, struct error *err);

#endif

/* src/disk/machine/world.h - what is mounted where, and what the root is: memory, or an ext4. */
#ifndef DISK_MACHINE_WORLD_H
#define DISK_MACHINE_WORLD_H

#include <stdbool.h>

struct drivers;

/* What a program expects to be mounted, below the root of now. */
void world_make(void);
/* A directory, with all above it. */
void world_make_path(const char *path);
/* The root becomes the ext4 with this UUID; false: said why it could not.  world_make() before
 * and after. */
bool world_move(const char *uuid, struct drivers *d);
/* The ext4 with the volumes; then each directory of it, by name, to where it belongs. */
bool volumes_mount(const char *uuid, struct drivers *d);
void volume_bind(const char *name, const char *at);
/* Shared folders of the host's (virtio, 9p): each lies where its tag says. */
bool shares_are_there(void);
void shares_mount(void);
/* Everything that is on a disk is written and closed. */
void world_end(void);

#endif

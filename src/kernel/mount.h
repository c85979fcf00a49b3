/* src/kernel/mount.h - mounts that are made detached and attached by handle.
 *
 * fsopen(2), open_tree(2), mount_setattr(2), move_mount(2): Linux 5.2 and 5.12.  No path inside a
 * container is ever given to the kernel here: a target is an O_PATH handle (kernel/rootdir.h).
 * Handles that are returned are the caller's, close-on-exec, and -1 in a dry run.
 */
#ifndef KERNEL_MOUNT_H
#define KERNEL_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/* What the options of one mount mean (runtime-spec config.md "Mounts", mount(8)). */
struct mount_options {
	uint64_t set, clear;                     /* MOUNT_ATTR_* of this mount */
	uint64_t recursive_set, recursive_clear; /* "rro": with all below */
	uint64_t propagation;                    /* MS_SHARED, MS_SLAVE, ... or 0 */
	bool propagation_recursive;
	bool bind, recursive;
	bool copy_up;     /* tmpcopyup: what lies below is copied in */
	struct strv data; /* what is left: the file system's own, "size=64m" */
};

/* Unknown words are the file system's own; nothing is refused here. */
void mount_options_parse(const struct strv *words, struct mount_options *ret);
void mount_options_done(struct mount_options *o);
/* "ro,nosuid,size=64m" as mount(8) takes them; the caller frees. */
char *mount_options_format(const struct mount_options *o);

/* A new file system.  what names it in errors and narration: its target. */
int mount_new(const char *type, const char *source, const struct mount_options *o, const char *what,
	      int *ret, struct error *err) must_check;
/* Another view of what is mounted at from_fd/from (from_fd AT_FDCWD: a path of the host; from "" is
 * the handle itself).
 */
int mount_clone(int from_fd, const char *from, bool recursive, int *ret,
		struct error *err) must_check;
int mount_set(int fd, const struct mount_options *o, const char *what,
	      struct error *err) must_check;
int mount_attach(int fd, int target, const char *what, struct error *err) must_check;
int mount_attach_at(int fd, const char *host_path, struct error *err) must_check;

int mount_propagation(const char *path, uint64_t propagation, bool recursive,
		      struct error *err) must_check;

#endif

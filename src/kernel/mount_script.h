/* src/kernel/mount_script.h - a mount as a command for a shell, whatever its directories are
 * called. */
#ifndef KERNEL_MOUNT_SCRIPT_H
#define KERNEL_MOUNT_SCRIPT_H

struct mount_options;

/* Quoted for explain(), which takes it as it is; the caller frees.  o's data may be overlayfs's
 * options as mount_new() takes them.
 */
char *mount_script(const char *type, const char *source, const struct mount_options *o,
		   const char *target);

#endif

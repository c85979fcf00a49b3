/* src/disk/bootable.h - what a tree has to boot with: kernel, initrd, modules, init. */
#ifndef DISK_BOOTABLE_H
#define DISK_BOOTABLE_H

#include <stdbool.h>

#include "base/error.h"

struct filetree;
struct file;
struct content;

#define KERNEL_VERSION_MAX 128

struct bootable {
	struct file *kernel, *initrd; /* of the tree; NULL: none */
	char *kernel_path, *initrd_path;
	char version[KERNEL_VERSION_MAX]; /* as the kernel's file says, "" without a kernel */
	bool has_modules;                 /* /lib/modules/VERSION is there */
	char *init;                       /* "/sbin/init", NULL: there is no init */
};

/* The newest kernel of those that are there, and the initrd of the same version. */
int bootable_find(const struct filetree *t, struct bootable *ret, struct error *err) must_check;
void bootable_done(struct bootable *b);

/* Documentation/arm64/booting.rst: "ARM\x64" at 56.  Anything else is taken for amd64. */
bool kernel_is_arm64(const struct content *kernel);
/* The version in a kernel's file, "" if it says none (as arm64's never do); -ENOEXEC: it is none
 * for these two. */
int kernel_version(const struct content *kernel, char ret[KERNEL_VERSION_MAX],
		   struct error *err) must_check;

#endif

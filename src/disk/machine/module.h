/* src/disk/machine/module.h - a kernel module, from a file, packed or not. */
#ifndef DISK_MACHINE_MODULE_H
#define DISK_MACHINE_MODULE_H

/* What cannot be loaded is said, but for hardware that is not there. */
void module_load(const char *path);

#endif

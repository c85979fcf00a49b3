/* src/disk/module_aliases.h - which hardware a kernel module is for. */
#ifndef DISK_MODULE_ALIASES_H
#define DISK_MODULE_ALIASES_H

#include "base/error.h"

struct strv;

/* Patterns for the buses pci, virtio and vmbus, of dir's modules.alias; *ret gets those that are
 * not yet in it.  A folder without that file has none.
 */
int module_aliases(const char *dir, const char *name, struct strv *ret,
		   struct error *err) must_check;

#endif

/* src/cmd/disk_root.h - what "disk build" is told of the root. */
#ifndef CMD_DISK_OSROOT_H
#define CMD_DISK_OSROOT_H

#include "base/error.h"

struct disk_build_args;
struct osroot_options;

/* Asks for a passphrase if there is no file with one; its memory is the caller's, see below. */
int disk_root_choose(const struct disk_build_args *args, struct osroot_options *ret,
		     struct error *err) must_check;
void disk_root_done(struct osroot_options *o); /* wipes the passphrase */

#endif

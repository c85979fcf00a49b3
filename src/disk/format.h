/* src/disk/format.h - what a disk is packed in: its plain bytes, or the file of some hypervisor.
 *
 * qemu-img packs and unpacks. A packed file may be hostile: one that leads to other files of ours
 * (a backing file, an extent elsewhere) is refused before qemu-img sees it.  An ISO is the plain
 * bytes of a disk that optical drives start, too (iso.h).
 */
#ifndef DISK_FORMAT_H
#define DISK_FORMAT_H

#include <stdint.h>

#include "base/error.h"

enum disk_format {
	FORMAT_RAW,
	FORMAT_QCOW2,
	FORMAT_VMDK,
	FORMAT_VHD,
	FORMAT_VHDX,
	FORMAT_VDI,
	FORMAT_ISO
};

#define FORMAT_NAMES "raw, qcow2, vmdk, vhd, vhdx, vdi or iso"

const char *format_name(enum disk_format f);
const char *format_qemu_name(enum disk_format f); /* what QEMU calls it */

/* asked is a name of the above or NULL: then what the ending of path says, else raw. */
int format_choose(const char *asked, const char *path, enum disk_format *ret,
		  struct error *err) must_check;

/* By the first bytes. -EPERM: it leads to other files; -EOPNOTSUPP: of a kind that is not read. */
int format_detect(int fd, enum disk_format *ret, struct error *err) must_check;

/* The plain bytes of a file of that format: *ret_fd is a nameless copy in $TMPDIR or /var/tmp, with
 * holes where there is nothing; the caller closes.  For raw and iso it is a duplicate of fd.
 */
int format_unpack(int fd, enum disk_format f, int *ret_fd, struct error *err) must_check;

/* The plain bytes of raw_fd into the empty file fd, which will have that name.  The same bytes give
 * the same file.  Not for raw and iso.
 */
int format_pack(int raw_fd, enum disk_format f, int fd, const char *name,
		struct error *err) must_check;

/* A nameless file, to be closed. */
int format_scratch(int *ret_fd, struct error *err) must_check;

#endif

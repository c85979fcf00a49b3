/* src/image/attributes.h - owners, modes, times and extended attributes of files in layers.
 *
 * overlayfs's own attributes would change what a layer means, so those that an image brings are
 * escaped on the way in (trusted.overlay.x is stored as trusted.overlay.overlay.x, which overlayfs
 * shows under the first name) and restored on the way out.  security.selinux and what else belongs
 * to the machine stays out.
 */
#ifndef IMAGE_ATTRIBUTES_H
#define IMAGE_ATTRIBUTES_H

#include <stdbool.h>

#include "base/error.h"
#include "image/tar.h"

/* To an open file or directory: owner, mode, attributes, then times.  -EOVERFLOW: the owner has no
 * number in this user namespace.
 */
int attributes_set(int fd, const struct tar_entry *e, bool times) must_check;
/* To a name that cannot be opened: links, devices. */
int attributes_set_at(int dir, const char *name, const struct tar_entry *e) must_check;
int attributes_copy(int from, int to) must_check; /* extended ones, between open files */

/* Those of an open file, ready for an archive, sorted by name; the caller owns them. */
int attributes_list(int fd, struct tar_xattr **ret, size_t *ret_n) must_check;
/* Whether an image may bring an attribute of that name: what belongs to the machine stays out. */
bool attribute_is_for_images(const char *name);
void attributes_free(struct tar_xattr *xattrs, size_t n);

/* "trusted.overlay.opaque", or in a user namespace "user.overlay.opaque". */
int opaque_set(int fd) must_check;

#endif

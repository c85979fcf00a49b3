/* src/image/lower.h - the layers below, looked through as overlayfs would: whiteouts and opaque
 * directories hide, symbolic links are not followed.
 */
#ifndef IMAGE_LOWER_H
#define IMAGE_LOWER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

/* What path is there: 0 with an O_PATH handle (of a symbolic link, too), -ENOENT. */
int lower_open(const struct strv *dirs, const char *path, int *ret_fd, struct stat *ret) must_check;

/* A character device 0:0, which says that nothing is here. */
bool is_whiteout(const struct stat *st);
/* fd is an open directory that hides all below it. */
bool is_opaque(int fd);

#endif

/* src/image/tar.h - one entry of a tar archive, as it is read and as it is written. */
#ifndef IMAGE_TAR_H
#define IMAGE_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define TAR_BLOCK      512
#define TAR_NAME_MAX   4096               /* of names and link targets */
#define TAR_XATTRS_MAX 256                /* of one entry */
#define TAR_SIZE_MAX   (INT64_C(1) << 50) /* of a file with its holes; sums do not overflow */

enum tar_type {
	TAR_FILE,
	TAR_HARD_LINK,
	TAR_SYMLINK,
	TAR_CHAR,
	TAR_BLOCK_DEVICE,
	TAR_DIR,
	TAR_FIFO,
};

struct tar_xattr {
	char *name; /* "user.x" */
	void *value;
	size_t len;
};

struct tar_entry {
	enum tar_type type;
	char *name;  /* any bytes but NUL; as it stands there */
	char *link;  /* of links, "" for others */
	mode_t mode; /* 07777 */
	uint32_t uid, gid;
	int64_t size; /* of a file; with its holes, if it is sparse */
	/* For whoever writes a sparse file: "OFFSET,LENGTH,OFFSET,LENGTH...", the runs that it has,
	 * and the sum of those lengths; NULL: it is written with zeros for its holes.
	 */
	const char *map;
	int64_t mapped;
	uint32_t runs;
	struct timespec mtime;
	uint32_t major, minor;
	struct tar_xattr *xattrs;
	size_t nxattrs;
};

#endif

/* src/image/tar_pax.h - the records of a pax header, and maps of sparse files. */
#ifndef IMAGE_TAR_PAX_H
#define IMAGE_TAR_PAX_H

#include <stdbool.h>

#include "base/error.h"
#include "image/tar.h"

struct sparse_piece {
	int64_t offset, len;
};

/* Where the data of a file with holes goes; ascending, not overlapping. */
struct sparse {
	bool is;
	bool map_in_data; /* GNU 1.0: the map stands in front of the data */
	char *name;       /* the file's real one, or NULL */
	int64_t size;     /* with holes */
	struct sparse_piece *pieces;
	size_t n, room;
};

struct pax {
	bool any;
	char *path, *linkpath; /* or NULL */
	bool has_size, has_uid, has_gid, has_mtime;
	int64_t size, uid, gid;
	struct timespec mtime;
	struct tar_xattr *xattrs;
	size_t nxattrs, xattr_room;
	struct sparse sparse;
};

/* len bytes of "LEN KEY=VALUE\n". */
int pax_parse(const char *text, size_t len, struct pax *ret, struct error *err) must_check;
void pax_done(struct pax *pax);

int sparse_add(struct sparse *s, int64_t offset, int64_t len, struct error *err) must_check;
/* The pieces are within the file and are as many bytes as the archive has for it. */
int sparse_check(const struct sparse *s, int64_t stored, struct error *err) must_check;
void sparse_of_pax(struct sparse *to, struct pax *pax); /* takes it over */
void sparse_done(struct sparse *s);

#endif

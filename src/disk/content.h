/* src/disk/content.h - where a file's bytes are until they are copied, once, into the disk.
 *
 * Pieces of other files (an archive, what was unpacked of one), a path below a directory that stays
 * open, or bytes in memory.  What no piece covers is a hole.
 */
#ifndef DISK_CONTENT_H
#define DISK_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct packed;
struct stat;
struct unpacker;

struct piece {
	int64_t at;   /* in the file */
	int64_t from; /* where it lies, or in what is unpacked */
	int64_t len;
	struct packed *packed; /* owned; NULL: it lies there as it is */
};

enum content_kind { CONTENT_BYTES, CONTENT_PIECES, CONTENT_PATH };

struct content {
	enum content_kind kind;
	int64_t size;
	bool sparse; /* of a path: it has fewer blocks than bytes */
	int fd;      /* of pieces: the file they lie in; of a path: the directory; borrowed */
	char *path;  /* owned */
	struct piece *pieces; /* owned, ascending, without overlap */
	size_t n, room;
	char *bytes; /* owned */
};

struct content content_of_bytes(char *bytes, size_t len); /* takes heap bytes over */
struct content content_of_path(int dir, const char *path, const struct stat *st);
void content_add_piece(struct content *c, int64_t at, int64_t from, int64_t len);
/* len bytes of what packed becomes, from skip on. */
void content_add_packed(struct content *c, int64_t at, int64_t skip, int64_t len,
			const struct packed *packed);
void content_done(struct content *c);

/* Between the two the bytes can be had.  A file that has another size by now is -ESTALE. */
struct content_reader {
	const struct content *content;
	int fd; /* owned, for a path */
	size_t piece;
	struct unpacker *unpacker; /* owned; NULL until it is needed */
};
#define CONTENT_READER_INIT ((struct content_reader) { .fd = -1 })

int content_open(const struct content *c, struct content_reader *ret, struct error *err) must_check;
void content_close(struct content_reader *rd);

/* The next run of data at or behind *at: 1 and where it is, 0: none up to the end. */
int content_next(struct content_reader *rd, int64_t at, int64_t *ret_at, int64_t *ret_len);
/* The same in whole blocks; runs of bytes that share one, or whose blocks touch, are one. */
bool content_next_blocks(struct content_reader *rd, int64_t block, int64_t at, int64_t *ret_at,
			 int64_t *ret_len);
/* How many blocks its data take, and in how many runs. */
int content_count(const struct content *c, int64_t block, int64_t *ret_blocks, int64_t *ret_runs,
		  struct error *err) must_check;
/* Bytes of one run, to a place of another file; -EUCLEAN: what is packed is damaged. */
int content_copy(struct content_reader *rd, int64_t at, int64_t len, int to,
		 int64_t to_at) must_check;
/* The same into memory. */
int content_get(struct content_reader *rd, int64_t at, int64_t len, char *to) must_check;
/* One of its own, of the same bytes. */
struct content content_clone(const struct content *c);
/* A file that has at most max bytes: as many of them as want, from the start, holes as zeros, and a
 * NUL behind; the caller frees.
 */
int content_read(const struct content *c, size_t max, size_t want, char **ret, size_t *ret_len,
		 struct error *err) must_check;

#endif

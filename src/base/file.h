/* src/base/file.h - files by directory descriptor.
 *
 * Paths here are the caller's own (state directories, what the user typed); what lies inside a
 * container's root goes through kernel/rootdir.h instead.  Error texts name attempt and path.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct buf;

/* Whole file as NUL-terminated heap text; -EFBIG past max bytes.  ret_len may be NULL. */
/* Of our own state, where nothing but a file has a meaning: a FIFO in its place does not hang us.
 */
int file_read_regular_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len,
			 struct error *err) must_check;
int file_read_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len,
		 struct error *err) must_check;
int file_read_fd(int fd, const char *what, size_t max, char **ret, size_t *ret_len,
		 struct error *err) must_check;

/* Replaces path as a whole or not at all: temporary name, write, rename.  With FILE_SYNC it is on
 * the disk when this returns.
 */
enum file_flags { FILE_PLAIN = 0, FILE_SYNC = 1 };
int file_write_at(int dirfd, const char *path, const void *bytes, size_t len, mode_t mode,
		  enum file_flags flags, struct error *err) must_check;

/* The same for a path that the user chose for something to read: a device, a pipe or what a link
 * leads to is written into, as "> path" does, and not replaced by a file.
 */
int file_write_named(const char *path, const void *bytes, size_t len, mode_t mode,
		     struct error *err) must_check;

/* Writes into an existing file in one write(), the way kernel interfaces want it. */
int file_put_at(int dirfd, const char *path, const char *text, struct error *err) must_check;

/* 0 or -errno; a full disk shows as a short write first. */
int file_write_all(int fd, const void *bytes, size_t len) must_check;
int file_write_all_at(int fd, const void *bytes, size_t len, int64_t offset) must_check;

/* What a program prints, to its end.  -ETIMEDOUT when clock_monotonic_ms() comes to until_ms,
 * -E2BIG when it is more than ret takes.
 */
int file_read_until(int fd, int64_t until_ms, struct buf *ret) must_check;

/* All components, existing ones are fine; returns 0.  path may be absolute. */
int dir_make_at(int dirfd, const char *path, mode_t mode, struct error *err) must_check;
int dir_open_at(int dirfd, const char *path, int *ret, struct error *err) must_check;
/* dir_make_at() and dir_open_at(). */
int dir_ensure_at(int dirfd, const char *path, mode_t mode, int *ret, struct error *err) must_check;
/* Removes a tree without following links or entering other file systems; a missing one is fine. */
int dir_remove_at(int dirfd, const char *path, struct error *err) must_check;

/* The whole path of what lies in a directory, for people; the caller frees. */
char *file_path(int dirfd, const char *name);

#endif

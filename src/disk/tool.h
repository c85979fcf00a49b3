/* src/disk/tool.h - the stock programs that fill a boot partition, run as they are. */
#ifndef DISK_TOOL_H
#define DISK_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct strv;

/* Runs argv and waits.  fds stay open in it under their numbers, so that it may be given
 * /proc/self/fd/N; its clock is now_s where it looks at SOURCE_DATE_EPOCH (a negative one is not
 * told), its zone is UTC.  What it says last on standard error is the failure's text; -ENOENT names
 * the package to install.
 */
int tool_run(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
	     const char *package, struct error *err) must_check;

/* The same of a program that fills a part of a file which the caller syncs when it is whole: that
 * it wants to wait for the disk is passed over.  syslinux waits for all that this host has to
 * write.
 */
int tool_run_unsynced(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
		      const char *package, struct error *err) must_check;

/* As tool_run(); feed writes its standard input into a pipe.  That it does not read all is its
 * business.
 */
typedef int (*tool_feed_fn)(void *data, int fd, struct error *err);
int tool_feed(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
	      const char *package, tool_feed_fn feed, void *data, struct error *err) must_check;

/* The same; its standard output goes to the file out. */
int tool_write(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
	       const char *package, int out, struct error *err) must_check;

/* The same; *ret is what it says on standard output, at most TOOL_OUTPUT_MAX bytes; the caller
 * frees. */
int tool_output(const struct strv *argv, const int *fds, size_t nfds, const char *package,
		char **ret, struct error *err) must_check;
#define TOOL_OUTPUT_MAX (1U << 20)

#endif

/* tests/fuzz/fuzz.h - what the targets share.
 *
 * A target takes any bytes, calls one parser, and aborts through fuzz_must() where a promise of the
 * parser's header is broken; the sanitizers watch the rest.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_must(condition)                                                                       \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* The bytes up to the next NUL as a text of its own; *data and *size move behind it.  The caller
 * frees.
 */
static inline char *fuzz_text(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
	size_t len = end ? (size_t)(end - *data) : *size;
	char *text = xmalloc(len + 1);

	if (len)
		memcpy(text, *data, len);
	text[len] = '\0';
	*data += len + (end != NULL);
	*size -= len + (end != NULL);
	return text;
}

static inline void fuzz_remove_dir(void);
static char fuzz_dir_path[] = "/tmp/strake-fuzz-XXXXXX";

/* A directory in memory that no one else sees and where devices cannot be opened; without the right
 * to mount, one below /tmp.  Made once.
 */
static inline const char *fuzz_dir(void)
{
	static const char *dir;

	if (dir)
		return dir;
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", "/mnt", "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, "size=64m") == 0)
		return dir = "/mnt";
	dir = mkdtemp(fuzz_dir_path);
	fuzz_must(dir);
	(void)atexit(fuzz_remove_dir);
	return dir;
}

static inline void fuzz_remove_dir(void)
{
	ignore_result(dir_remove_at(AT_FDCWD, fuzz_dir_path, NULL));
}

static inline void fuzz_put(const char *dir, const char *name, const void *bytes, size_t len)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	fuzz_must(fd >= 0 && file_write_all(fd, bytes, len) == 0);
}

#endif

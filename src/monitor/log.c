/* src/monitor/log.c - writing */
#include "monitor/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#define CHUNK_MAX                                                                                  \
	(256U << 10) /* what one read from the container becomes at most, with its headers */

int log_open(struct log *log, int dir_fd, uint64_t max_size, int files, struct error *err)
{
	struct stat st;

	*log = (struct log) { .dir_fd = dir_fd, .max_size = max_size, .files = files, .fd = -1 };
	log->fd = openat(dir_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return error_sys(err, -errno, "open the container's log");
	log->size = (uint64_t)st.st_size;
	return 0;
}

void log_close(struct log *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
}

static int open_newest(struct log *log, int flags)
{
	log->fd =
		openat(log->dir_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0600);
	log->size = 0;
	return log->fd < 0 ? -errno : 0;
}

/* The oldest goes, the others move up by one; a reader that has one open keeps it. */
static int rotate(struct log *log)
{
	char from[16], to[16];

	for (int i = log->files - 1; i > 0; i--) {
		(void)snprintf(to, sizeof(to), "log.%d", i);
		if (i > 1)
			(void)snprintf(from, sizeof(from), "log.%d", i - 1);
		else
			(void)snprintf(from, sizeof(from), "log");
		(void)renameat(log->dir_fd, from, log->dir_fd, to);
	}
	log_close(log);
	return open_newest(log, O_TRUNC);
}

int log_write(struct log *log, bool is_stderr, const char *bytes, size_t len)
{
	struct buf out = BUF_INIT(len * 64 + CHUNK_MAX);
	char now[CLOCK_TEXT_LEN];
	int r = 0;

	clock_format(clock_now_ns(), now);
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;

		buf_addf(&out, "%s %s %c ", now, is_stderr ? "stderr" : "stdout", end ? 'F' : 'P');
		buf_add(&out, bytes, n);
		buf_add_char(&out, '\n');
		bytes += n + (end != NULL);
		len -= n + (end != NULL);
	}
	if (log->size && log->size + out.len > log->max_size)
		r = rotate(log);
	if (r == 0 && log->fd < 0)
		r = open_newest(log, 0);
	if (r == 0)
		r = file_write_all(log->fd, out.data, out.len);
	/* A full disk may take half a line: it must not become the start of the next one. */
	if (r == 0)
		log->size += out.len;
	else if (log->fd >= 0)
		(void)ftruncate(log->fd, (off_t)log->size);
	buf_done(&out);
	return r;
}

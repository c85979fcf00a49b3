/* src/monitor/log_read.c - reading, and following across rotations */
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "monitor/log.h"

#define LINE_BYTES_MAX (1U << 20) /* longer than what a monitor reads at once */
#define FILES_MAX      100

int log_parse(const char *bytes, size_t len, struct log_line *ret)
{
	char time[CLOCK_TEXT_LEN + 8];
	const char *space = memchr(bytes, ' ', MIN(len, sizeof(time) - 1));
	size_t n;

	if (!space)
		return -EBADMSG;
	n = (size_t)(space - bytes);
	memcpy(time, bytes, n);
	time[n] = '\0';
	bytes += n + 1;
	len -= n + 1;
	if (len < 9 || clock_parse(time, &ret->time_ns) < 0)
		return -EBADMSG;
	if (memcmp(bytes, "stdout ", 7) != 0 && memcmp(bytes, "stderr ", 7) != 0)
		return -EBADMSG;
	if ((bytes[7] != 'F' && bytes[7] != 'P') || bytes[8] != ' ')
		return -EBADMSG;
	ret->is_stderr = bytes[3] == 'e';
	ret->partial = bytes[7] == 'P';
	ret->text = bytes + 9;
	ret->len = len - 9;
	return 0;
}

struct reader {
	const struct log_options *options;
	struct buf rest; /* a line whose end was not read yet */
	int64_t skip;    /* lines still to be passed over, for --tail */
	bool middle[2];  /* the last line of stdout, stderr was a part */
	bool skipped[2]; /* and is passed over */
	int fd;          /* the newest file */
	int dir_fd;
	FILE *last; /* where the last line went */
};

static void print_line(struct reader *rd, const char *bytes, size_t len)
{
	struct log_line line;
	char now[CLOCK_TEXT_LEN];
	bool begins;
	FILE *to;

	if (log_parse(bytes, len, &line) < 0 || line.time_ns < rd->options->since_ns)
		return;
	begins = !rd->middle[line.is_stderr];
	rd->middle[line.is_stderr] = line.partial;
	if (begins) {
		rd->skipped[line.is_stderr] = rd->skip > 0;
		rd->skip -= rd->skip > 0;
	}
	if (rd->skipped[line.is_stderr])
		return;
	to = line.is_stderr ? stderr : stdout;
	/* Both may be the same file: what was written first stays first. */
	if (rd->last && rd->last != to)
		(void)fflush(rd->last);
	rd->last = to;
	if (rd->options->timestamps && begins) {
		clock_format(line.time_ns, now);
		(void)fprintf(to, "%s ", now);
	}
	(void)fwrite(line.text, 1, line.len, to);
	if (!line.partial)
		(void)fputc('\n', to);
}

static void take(struct reader *rd, const char *bytes, size_t len)
{
	const char *start, *end;

	buf_add(&rd->rest, bytes, len);
	start = rd->rest.data;
	while ((end = memchr(start, '\n', rd->rest.len - (size_t)(start - rd->rest.data)))) {
		print_line(rd, start, (size_t)(end - start));
		start = end + 1;
	}
	buf_drop_front(&rd->rest, (size_t)(start - rd->rest.data));
	if (buf_result(&rd->rest) < 0 || rd->rest.len >= LINE_BYTES_MAX)
		buf_reset(&rd->rest);
}

static int drain(struct reader *rd, int fd, struct error *err)
{
	char bytes[65536];
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof(bytes)))) > 0)
		take(rd, bytes, (size_t)n);
	if (fflush(stdout) != 0 || fflush(stderr) != 0)
		return error_sys(err, -errno, "write output");
	return n < 0 ? error_sys(err, -errno, "read the log") : 0;
}

static int open_log(int dir_fd, int number)
{
	char name[16];

	if (number > 0)
		(void)snprintf(name, sizeof(name), "log.%d", number);
	else
		(void)snprintf(name, sizeof(name), "log");
	return openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
	       one.st_dev == other.st_dev;
}

/* How many lines begin in one file; middle as in a reader, from the file before. */
static int64_t count_lines(int fd, const struct log_options *options, bool middle[2])
{
	struct buf rest = BUF_INIT(LINE_BYTES_MAX);
	char bytes[65536];
	int64_t lines = 0;
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof(bytes)))) > 0) {
		char *start, *end;

		buf_add(&rest, bytes, (size_t)n);
		start = rest.data;
		while ((end = memchr(start, '\n', rest.len - (size_t)(start - rest.data)))) {
			struct log_line line;

			if (log_parse(start, (size_t)(end - start), &line) == 0 &&
			    line.time_ns >= options->since_ns) {
				lines += !middle[line.is_stderr];
				middle[line.is_stderr] = line.partial;
			}
			start = end + 1;
		}
		buf_drop_front(&rest, (size_t)(start - rest.data));
	}
	buf_done(&rest);
	(void)lseek(fd, 0, SEEK_SET);
	return lines;
}

/* All files, the oldest first; they are opened before any is read, so that a rotation meanwhile
 * neither loses nor repeats anything.
 */
static int print_all(struct reader *rd, struct error *err)
{
	int fds[FILES_MAX], n = 0, r = 0;
	int64_t lines = 0;

	rd->fd = open_log(rd->dir_fd, 0);
	if (rd->fd < 0 && errno == ENOENT)
		return 0;
	if (rd->fd < 0)
		return error_sys(err, -errno, "open the log");
	/* A rotation right now shows the same file under its next name once more. */
	for (int number = 1; number < FILES_MAX; number++) {
		int fd = open_log(rd->dir_fd, number);

		if (fd < 0)
			break;
		if (same_file(fd, rd->fd))
			(void)close(fd);
		else
			fds[n++] = fd;
	}
	if (rd->options->tail >= 0) {
		bool middle[2] = { false, false };

		for (int i = n - 1; i >= 0; i--)
			lines += count_lines(fds[i], rd->options, middle);
		lines += count_lines(rd->fd, rd->options, middle);
		rd->skip = MAX(lines - rd->options->tail, 0);
	}
	for (int i = n - 1; i >= 0; i--) {
		if (r == 0)
			r = drain(rd, fds[i], err);
		(void)close(fds[i]);
	}
	return r < 0 ? r : drain(rd, rd->fd, err);
}

/* After rotations: the rest of the file that we know, then those that came behind it. */
static int catch_up(struct reader *rd, struct error *err)
{
	int fds[FILES_MAX], n = 0, r = drain(rd, rd->fd, err);

	for (int number = 0; number < FILES_MAX; number++) {
		int fd = open_log(rd->dir_fd, number);

		if (fd < 0)
			break;
		if (same_file(fd, rd->fd)) {
			(void)close(fd);
			break;
		}
		fds[n++] = fd;
	}
	for (int i = n - 1; i >= 0; i--) {
		if (r == 0)
			r = drain(rd, fds[i], err);
		if (i > 0)
			(void)close(fds[i]);
	}
	if (n > 0) {
		(void)close(rd->fd);
		rd->fd = fds[0];
	}
	return r;
}

static int reopen(struct reader *rd, struct error *err)
{
	if (rd->fd >= 0)
		return catch_up(rd, err);
	rd->fd = open_log(rd->dir_fd, 0);
	return rd->fd < 0 ? 0 : drain(rd, rd->fd, err);
}

static bool has_ended(const struct reader *rd)
{
	struct stat st;

	return faccessat(rd->dir_fd, "exit.json", F_OK, 0) == 0 || fstat(rd->dir_fd, &st) < 0 ||
	       st.st_nlink == 0;
}

static int follow(struct reader *rd, int watch, struct error *err)
{
	alignas(struct inotify_event) char events[4096];
	int r;

	for (;;) {
		bool ended = has_ended(rd);

		/* Asked before the read, so that nothing written before the end is missed. */
		r = reopen(rd, err);
		if (r < 0 || ended)
			return r;
		if (TEMP_FAILURE_RETRY(read(watch, events, sizeof(events))) < 0)
			return error_sys(err, -errno, "watch the log");
	}
}

int log_print(const char *dir, const struct log_options *options, struct error *err)
{
	struct reader rd = { .options = options, .rest = BUF_INIT(LINE_BYTES_MAX * 2), .fd = -1 };
	autoclose int watch = -1;
	int r;

	rd.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rd.dir_fd < 0)
		return error_sys(err, -errno, "open %s", dir);
	if (options->follow) {
		watch = inotify_init1(IN_CLOEXEC);
		if (watch < 0 ||
		    inotify_add_watch(watch, dir,
				      IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_MOVED_TO |
					      IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF) < 0) {
			r = error_sys(err, -errno, "watch %s", dir);
			(void)close(rd.dir_fd);
			return r;
		}
	}
	r = print_all(&rd, err);
	if (r == 0 && options->follow)
		r = follow(&rd, watch, err);
	if (rd.fd >= 0)
		(void)close(rd.fd);
	(void)close(rd.dir_fd);
	buf_done(&rd.rest);
	return r;
}

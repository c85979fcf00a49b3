/* src/base/event.c */
#include "base/event.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/json.h"

#define FILE_MAX   (4 << 20)
#define LINE_BYTES (1U << 20) /* an image's labels are in it */
#define PIECE      65536

/* writing */

static json_t *document(const char *type, const char *action, const char *id,
			const char *const *attributes, int64_t now)
{
	json_t *list = json_object(), *doc;

	for (; attributes && *attributes; attributes += 2)
		if (attributes[1])
			(void)json_object_set_new(list, attributes[0], json_string(attributes[1]));
	doc = json_pack("{s:s, s:s, s:{s:s, s:o}, s:s, s:I, s:I}", "Type", type, "Action", action,
			"Actor", "ID", id, "Attributes", list, "scope", "local", "time",
			(json_int_t)(now / 1000000000), "timeNano", (json_int_t)now);
	/* What older readers of Docker's look at. */
	if (doc && strcmp(type, "container") == 0) {
		(void)json_object_set_new(doc, "status", json_string(action));
		(void)json_object_set_new(doc, "id", json_string(id));
		(void)json_object_set(doc, "from", json_object_get(list, "image"));
	}
	return doc;
}

/* One that is large makes room for the next; whoever has it open still writes to its end. */
static void turn(int root_fd, int fd)
{
	struct stat mine, there;

	if (fstat(fd, &mine) < 0 || mine.st_size < FILE_MAX || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (fstatat(root_fd, EVENT_FILE, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    there.st_ino == mine.st_ino)
		(void)renameat(root_fd, EVENT_FILE, root_fd, EVENT_OLD);
}

void event_tell(int root_fd, const char *type, const char *action, const char *id,
		const char *const *attributes)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *text = NULL, *line = NULL;
	autoclose int fd = -1;

	if (root_fd < 0 || explain_dry())
		return;
	fd = openat(root_fd, EVENT_FILE,
		    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	doc = document(type, action, id, attributes, clock_now_ns());
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	if (!text)
		return;
	/* One write at the end of the file: lines do not mix. */
	line = xasprintf("%s\n", text);
	ignore_result(write(fd, line, strlen(line)));
	turn(root_fd, fd);
}

/* reading */

struct event_reader {
	struct event_window window;
	int dir, fd, watch;
	bool was_old;     /* the older file has been read */
	struct buf bytes; /* read, and not handed out yet */
	size_t at;
	bool is_over;
};

static int open_watch(struct event_reader *r, const char *root, struct error *err)
{
	if (!r->window.follow)
		return 0;
	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watch < 0 ||
	    inotify_add_watch(r->watch, root, IN_MODIFY | IN_CREATE | IN_MOVED_FROM) < 0)
		return error_sys(err, -errno, "watch %s", root);
	return 0;
}

int event_reader_open(const char *root, const struct event_window *window,
		      struct event_reader **ret, struct error *err)
{
	struct event_reader *r = xnew(struct event_reader);
	int n;

	*r = (struct event_reader) { .window = *window, .fd = -1, .watch = -1 };
	buf_init(&r->bytes, 2 * LINE_BYTES);
	r->dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n = r->dir < 0 ? error_sys(err, -errno, "open %s", root) : open_watch(r, root, err);
	if (n < 0) {
		event_reader_close(r);
		return n;
	}
	*ret = r;
	return 0;
}

void event_reader_close(struct event_reader *r)
{
	if (!r)
		return;
	if (r->dir >= 0)
		(void)close(r->dir);
	if (r->fd >= 0)
		(void)close(r->fd);
	if (r->watch >= 0)
		(void)close(r->watch);
	buf_done(&r->bytes);
	free(r);
}

/* 1: the next file is open; the one that was has no more. */
static int next_file(struct event_reader *r)
{
	struct stat mine = { .st_ino = 0 }, there;
	const char *name = EVENT_FILE;

	if (r->fd < 0 && !r->was_old)
		name = EVENT_OLD;
	else if (r->fd >= 0 && (fstat(r->fd, &mine) < 0 ||
				(fstatat(r->dir, EVENT_FILE, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
				 there.st_ino == mine.st_ino)))
		return 0;
	if (r->fd >= 0)
		(void)close(r->fd);
	r->was_old = true;
	r->fd = openat(r->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (r->fd < 0 && strcmp(name, EVENT_OLD) == 0)
		r->fd = openat(r->dir, EVENT_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return r->fd >= 0;
}

/* A line that somebody destroyed is passed over. */
static bool take_line(struct event_reader *r, json_t **ret)
{
	const char *start = buf_text(&r->bytes) + r->at, *end;

	while ((end = memchr(start, '\n', r->bytes.len - r->at))) {
		json_t *doc = json_loadb(start, (size_t)(end - start), 0, NULL);
		int64_t when = json_integer_value(json_object_get(doc, "timeNano"));

		r->at += (size_t)(end - start) + 1;
		start = end + 1;
		if (doc && when >= r->window.until_ns)
			r->is_over = true;
		if (doc && when >= r->window.since_ns && !r->is_over) {
			*ret = doc;
			return true;
		}
		json_decref(doc);
		if (r->is_over)
			return false;
	}
	return false;
}

static void drop_taken(struct event_reader *r)
{
	buf_drop_front(&r->bytes, r->at);
	r->at = 0;
	/* What has no end by then is no line of ours. */
	if (r->bytes.len > LINE_BYTES)
		buf_reset(&r->bytes);
}

/* More bytes, or 0. */
static ssize_t read_more(struct event_reader *r)
{
	char piece[PIECE];
	ssize_t n;

	do {
		n = r->fd < 0 ? 0 : TEMP_FAILURE_RETRY(read(r->fd, piece, sizeof(piece)));
		if (n > 0)
			buf_add(&r->bytes, piece, (size_t)n);
	} while (n <= 0 && next_file(r));
	return n;
}

/* false: it is later than asked for. */
static bool wait_for_more(struct event_reader *r)
{
	struct pollfd p = { .fd = r->watch, .events = POLLIN };
	int64_t left_ms = -1;
	char told[4096];

	if (r->window.until_ns != INT64_MAX) {
		left_ms = (r->window.until_ns - clock_now_ns() + 999999) / 1000000;
		if (left_ms <= 0)
			return false;
	}
	(void)poll(&p, 1, (int)MIN(left_ms, INT_MAX));
	while (read(r->watch, told, sizeof(told)) > 0)
		continue;
	return true;
}

int event_reader_next(struct event_reader *r, json_t **ret)
{
	for (;;) {
		if (take_line(r, ret))
			return 1;
		if (r->is_over)
			return 0;
		drop_taken(r);
		if (read_more(r) > 0)
			continue;
		if (!r->window.follow)
			return 0;
		/* What was written until that moment is read once more. */
		r->window.follow = wait_for_more(r);
	}
}

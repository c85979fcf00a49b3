/* src/monitor/log.h - what a container wrote, in files of bounded size.
 *
 * One line each: TIME stdout|stderr F|P TEXT, as the Kubernetes CRI has it; P is a part whose rest
 * comes in a later line.  "log" is the newest file, "log.1" the one before, and so on.
 */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define LOG_SIZE_DEFAULT  (16U << 20)
#define LOG_FILES_DEFAULT 3

struct log {
	int dir_fd; /* borrowed */
	int fd;
	uint64_t size, max_size;
	int files;
};

/* Writes below dir_fd, which must stay open. */
int log_open(struct log *log, int dir_fd, uint64_t max_size, int files,
	     struct error *err) must_check;
void log_close(struct log *log);
/* A full disk loses log lines, never the container: the failure is only returned. */
int log_write(struct log *log, bool is_stderr, const char *bytes, size_t len) must_check;

struct log_line {
	int64_t time_ns;
	bool is_stderr;
	bool partial;
	const char *text; /* borrowed, without the newline */
	size_t len;
};
/* One line without its newline; -EBADMSG. */
int log_parse(const char *bytes, size_t len, struct log_line *ret) must_check;

struct log_options {
	bool follow; /* until the container ends (exit.json appears) or is removed */
	bool timestamps;
	int64_t since_ns; /* 0: all */
	int64_t tail;     /* lines; -1: all */
};
/* Prints to our standard output and error.  dir is the container's directory. */
int log_print(const char *dir, const struct log_options *options, struct error *err) must_check;

#endif

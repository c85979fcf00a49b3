/* tests/unit/monitor/test_log.c - writing, rotating and reading back */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "base/buf.h"
#include "monitor/log.h"

#define OUTPUT_MAX (1U << 20)

static bool is_there(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

static void write_text(struct log *log, bool is_stderr, const char *text)
{
	assert_int_equal(log_write(log, is_stderr, text, strlen(text)), 0);
}

/* What log_print() says on standard output and error, one behind the other. */
static char *printed(const char *dir, const struct log_options *options)
{
	int fds[2], kept[2];
	struct buf all = BUF_INIT(OUTPUT_MAX);

	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		fds[i] = memfd_create("output", MFD_CLOEXEC);
		kept[i] = dup(i + 1);
		assert_true(dup2(fds[i], i + 1) >= 0);
	}
	assert_int_equal(log_print(dir, options, NULL), 0);
	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		autofree char *text = NULL;

		(void)dup2(kept[i], i + 1);
		(void)close(kept[i]);
		(void)lseek(fds[i], 0, SEEK_SET);
		assert_int_equal(file_read_fd(fds[i], "output", OUTPUT_MAX, &text, NULL, NULL), 0);
		buf_add_str(&all, text);
		(void)close(fds[i]);
	}
	return buf_steal(&all);
}

static void lines_are_told_apart_from_parts(void **state)
{
	autofree char *text = NULL, *out = NULL, *late = NULL;
	autoclose int dir = scratch_open(*state);
	struct log log;

	assert_int_equal(log_open(&log, dir, LOG_SIZE_DEFAULT, 3, NULL), 0);
	write_text(&log, false, "one\ntw");
	write_text(&log, false, "o\n\n");
	write_text(&log, true, "bad\n");
	log_close(&log);
	text = scratch_get(*state, "log");
	assert_non_null(strstr(text, " stdout F one\n"));
	assert_non_null(strstr(text, " stdout P tw\n"));
	assert_non_null(strstr(text, " stdout F o\n"));
	assert_non_null(strstr(text, " stdout F \n"));
	assert_non_null(strstr(text, " stderr F bad\n"));
	out = printed(*state, &(struct log_options) { .tail = -1 });
	assert_string_equal(out, "one\ntwo\n\nbad\n");
	late = printed(*state, &(struct log_options) { .tail = -1, .since_ns = INT64_MAX });
	assert_string_equal(late, "");
}

static void files_move_up_and_the_oldest_goes(void **state)
{
	autofree char *out = NULL, *tail = NULL, *oldest = NULL;
	autoclose int dir = scratch_open(*state);
	struct log log;

	assert_int_equal(log_open(&log, dir, 100, 3, NULL), 0);
	for (char c = 'a'; c <= 'j'; c++) {
		char line[22];

		memset(line, c, 20);
		line[20] = '\n';
		line[21] = '\0';
		write_text(&log, false, line);
	}
	log_close(&log);
	assert_true(is_there(*state, "log.1") && is_there(*state, "log.2"));
	assert_false(is_there(*state, "log.3"));
	oldest = scratch_get(*state, "log.2");
	assert_true(strlen(oldest) <= 100);
	out = printed(*state, &(struct log_options) { .tail = -1 });
	assert_non_null(strstr(out, "iiiiiiiiiiiiiiiiiiii\njjjjjjjjjjjjjjjjjjjj\n"));
	assert_null(strchr(out, 'a'));
	tail = printed(*state, &(struct log_options) { .tail = 1 });
	assert_string_equal(tail, "jjjjjjjjjjjjjjjjjjjj\n");
}

static void one_file_is_kept_within_its_size_too(void **state)
{
	autofree char *out = NULL;
	autoclose int dir = scratch_open(*state);
	struct log log;

	assert_int_equal(log_open(&log, dir, 100, 1, NULL), 0);
	write_text(&log, false, "first\n");
	write_text(&log, false, "second\n");
	write_text(&log, false, "third\n");
	log_close(&log);
	assert_false(is_there(*state, "log.1"));
	out = printed(*state, &(struct log_options) { .tail = -1 });
	assert_string_equal(out, "third\n");
}

static void a_log_is_continued(void **state)
{
	autofree char *out = NULL;
	autoclose int dir = scratch_open(*state);
	struct log log;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(log_open(&log, dir, LOG_SIZE_DEFAULT, 3, NULL), 0);
		write_text(&log, false, i ? "after\n" : "before\n");
		log_close(&log);
	}
	out = printed(*state, &(struct log_options) { .tail = -1 });
	assert_string_equal(out, "before\nafter\n");
}

static void tail_counts_whole_lines(void **state)
{
	static const char text[] = "2026-01-01T00:00:00Z stdout F one\n"
				   "2026-01-01T00:00:00Z stdout P tw\n"
				   "2026-01-01T00:00:00Z stdout F o\n"
				   "broken line\n"
				   "\n"
				   "2026-01-01T00:00:00Z stdout F three\n"
				   "2026-01-01T00:00:00Z stdout F no end";
	static const struct {
		int64_t tail;
		const char *out;
	} cases[] = {
		{ -1, "one\ntwo\nthree\n" },  { 0, "" }, { 1, "three\n" }, { 2, "two\nthree\n" },
		{ 100, "one\ntwo\nthree\n" },
	};

	scratch_put(*state, "log", text);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct log_options o = { .tail = cases[i].tail };
		autofree char *out = printed(*state, &o);

		assert_string_equal(out, cases[i].out);
	}
}

static void timestamps_stand_before_whole_lines(void **state)
{
	autofree char *out = NULL;

	scratch_put(*state, "log",
		    "2026-01-01T00:00:00Z stdout P o\n2026-01-01T00:00:01Z stdout F ne\n");
	out = printed(*state, &(struct log_options) { .tail = -1, .timestamps = true });
	assert_string_equal(out, "2026-01-01T00:00:00.000000000Z one\n");
}

static void broken_lines_are_refused(void **state)
{
	static const struct {
		const char *line, *text; /* NULL: refused */
	} cases[] = {
		{ "2026-01-01T00:00:00Z stdout F x y", "x y" },
		{ "2026-01-01T00:00:00.123456789Z stderr P x", "x" },
		{ "2026-01-01T00:00:00+01:00 stdout F ", "" },
		{ "2026-01-01T00:00:00Z stdout F", NULL },
		{ "2026-01-01T00:00:00Z stdout X x", NULL },
		{ "2026-01-01T00:00:00Z stdin F x", NULL },
		{ "2026-01-01T00:00:00Z stdout  F x", NULL },
		{ "2026-01-01T00:00:00Z ", NULL },
		{ "2026-01-01T00:00:00Z", NULL },
		{ "2026-13-01T00:00:00Z stdout F x", NULL },
		{ "2262-04-11T23:47:16.999999999Z stdout F x", NULL },
		{ "9999-12-31T23:59:59Z stdout F x", NULL },
		{ "yesterday stdout F x", NULL },
		{ " stdout F x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = strlen(cases[i].line);
		struct log_line line;
		int r = log_parse(cases[i].line, len, &line);

		if (r != (cases[i].text ? 0 : -EBADMSG))
			fail_msg("'%s': %d", cases[i].line, r);
		if (r == 0)
			assert_string_equal(line.text, cases[i].text);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lines_are_told_apart_from_parts),
		CASE(files_move_up_and_the_oldest_goes),
		CASE(one_file_is_kept_within_its_size_too),
		CASE(a_log_is_continued),
		CASE(tail_counts_whole_lines),
		CASE(timestamps_stand_before_whole_lines),
		cmocka_unit_test(broken_lines_are_refused),
	};

	return cmocka_run_group_tests_name("monitor/log", tests, NULL, NULL);
}

/* tests/unit/base/test_event.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/clock.h"
#include "base/event.h"

static char *next_id(struct event_reader *r)
{
	json_t *doc = NULL;
	char *id = NULL;

	if (event_reader_next(r, &doc) > 0)
		id = xstrdup(
			json_string_value(json_object_get(json_object_get(doc, "Actor"), "ID")));
	json_decref(doc);
	return id;
}

static void assert_next(struct event_reader *r, const char *id)
{
	autofree char *have = next_id(r);

	if (!id) {
		assert_null(have);
		return;
	}
	assert_non_null(have);
	assert_string_equal(have, id);
}

static struct event_reader *open_at(const char *dir, int64_t since, int64_t until, bool follow)
{
	const struct event_window window = { .since_ns = since,
					     .until_ns = until,
					     .follow = follow };
	struct event_reader *r = NULL;

	assert_int_equal(event_reader_open(dir, &window, &r, NULL), 0);
	return r;
}

static void one_is_a_document_as_docker_has_it(void **state)
{
	static const char *const list[] = { "image", "web:1", "name", "a\nb", "none", NULL, NULL };
	autoclose int root = scratch_open(*state);
	struct event_reader *r;
	json_t *doc = NULL, *attributes;

	event_tell(root, "container", "start", "abc", list);
	r = open_at(*state, 0, INT64_MAX, false);
	assert_int_equal(event_reader_next(r, &doc), 1);
	assert_string_equal(json_string_value(json_object_get(doc, "Type")), "container");
	assert_string_equal(json_string_value(json_object_get(doc, "Action")), "start");
	assert_string_equal(json_string_value(json_object_get(doc, "status")), "start");
	assert_string_equal(json_string_value(json_object_get(doc, "from")), "web:1");
	attributes = json_object_get(json_object_get(doc, "Actor"), "Attributes");
	assert_int_equal(json_object_size(attributes), 2);
	assert_string_equal(json_string_value(json_object_get(attributes, "name")), "a\nb");
	json_decref(doc);
	assert_next(r, NULL);
	event_reader_close(r);
}

static void a_window_has_its_ends(void **state)
{
	autoclose int root = scratch_open(*state);
	struct event_reader *r;
	int64_t middle;

	event_tell(root, "image", "tag", "one", NULL);
	middle = clock_now_ns();
	event_tell(root, "image", "tag", "two", NULL);
	r = open_at(*state, middle, INT64_MAX, false);
	assert_next(r, "two");
	assert_next(r, NULL);
	event_reader_close(r);
	r = open_at(*state, 0, middle, true);
	assert_next(r, "one");
	assert_next(r, NULL);
	event_reader_close(r);
	/* Nothing there at all. */
	assert_int_equal(unlinkat(root, EVENT_FILE, 0), 0);
	r = open_at(*state, 0, middle, true);
	assert_next(r, NULL);
	event_reader_close(r);
}

static void *write_later(void *data)
{
	autoclose int root = scratch_open(data);

	event_tell(root, "image", "tag", "later", NULL);
	return NULL;
}

static void what_comes_is_waited_for_and_a_new_file_is_followed(void **state)
{
	autoclose int root = scratch_open(*state);
	struct event_reader *r = open_at(*state, 0, INT64_MAX, true);
	pthread_t thread;

	event_tell(root, "image", "tag", "one", NULL);
	assert_next(r, "one");
	assert_int_equal(pthread_create(&thread, NULL, write_later, *state), 0);
	assert_next(r, "later");
	assert_int_equal(pthread_join(thread, NULL), 0);
	event_tell(root, "image", "tag", "two", NULL);
	assert_int_equal(renameat(root, EVENT_FILE, root, EVENT_OLD), 0);
	event_tell(root, "image", "tag", "three", NULL);
	assert_next(r, "two");
	assert_next(r, "three");
	event_reader_close(r);
	r = open_at(*state, 0, INT64_MAX, false);
	assert_next(r, "one");
	assert_next(r, "later");
	assert_next(r, "two");
	assert_next(r, "three");
	assert_next(r, NULL);
	event_reader_close(r);
}

static void a_large_file_makes_room_and_rubbish_is_passed_over(void **state)
{
	autoclose int root = scratch_open(*state), fd = -1;
	autofree char *junk = xmalloc(5 << 20);
	struct event_reader *r;

	fd = openat(root, EVENT_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	memset(junk, 'x', 5 << 20);
	assert_int_equal(write(fd, junk, 5 << 20), 5 << 20);
	assert_int_equal(write(fd, "\n{}\n[1]\nno\n", 11), 11);
	event_tell(root, "image", "tag", "one", NULL);
	event_tell(root, "image", "tag", "two", NULL);
	assert_int_equal(faccessat(root, EVENT_OLD, F_OK, 0), 0);
	r = open_at(*state, 1, INT64_MAX, false);
	assert_next(r, "one");
	assert_next(r, "two");
	assert_next(r, NULL);
	event_reader_close(r);
}

static void what_is_no_file_is_left_alone(void **state)
{
	autoclose int root = scratch_open(*state);

	assert_int_equal(mkfifoat(root, EVENT_FILE, 0600), 0);
	event_tell(root, "image", "tag", "one", NULL);
	event_tell(-1, "image", "tag", "one", NULL);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_is_a_document_as_docker_has_it),
		CASE(a_window_has_its_ends),
		CASE(what_comes_is_waited_for_and_a_new_file_is_followed),
		CASE(a_large_file_makes_room_and_rubbish_is_passed_over),
		CASE(what_is_no_file_is_left_alone),
	};

	return cmocka_run_group_tests_name("base/event", tests, NULL, NULL);
}

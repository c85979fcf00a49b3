/* tests/unit/disk/test_place.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/place.h"
#include "disk/source.h"

static const struct owner owner = { .mode = 0640, .uid = 3, .gid = 4 };

struct bench {
	struct disk_source source;
	struct placing p;
};

static int setup(void **state)
{
	struct bench *b = xnew(struct bench);

	b->source.tree = filetree_new();
	b->source.hold.until = -1;
	b->p = (struct placing) { .source = &b->source, .mtime = { .tv_sec = 77 } };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	disk_source_done(&b->source);
	free(b);
	return 0;
}

static void a_text_is_put_with_its_owner_and_read_again(void **state)
{
	struct bench *b = *state;
	struct filetree *t = b->source.tree;
	autofree char *text = NULL, *again = NULL;
	const struct file *f;

	assert_int_equal(place_read(&b->p, "etc/x", &text, NULL), -ENOENT);
	assert_null(text);
	assert_int_equal(place_text(&b->p, "why", "etc/x", owner, "one\n", NULL), 0);
	f = filetree_resolve(t, "etc/x", NULL);
	assert_int_equal(f->mode, S_IFREG | 0640);
	assert_int_equal(f->uid, 3);
	assert_int_equal(f->gid, 4);
	assert_int_equal(f->mtime.tv_sec, 77);
	assert_int_equal(dir_find(t->root, "etc")->uid, 0);
	assert_int_equal(place_read(&b->p, "etc/x", &text, NULL), 0);
	assert_string_equal(text, "one\n");
	/* Other bytes, the same file. */
	place_rewrite(&b->p, "etc/x", xstrdup("two"));
	assert_ptr_equal(filetree_resolve(t, "etc/x", NULL), f);
	assert_int_equal(f->mode, S_IFREG | 0640);
	assert_int_equal(place_read(&b->p, "etc/x", &again, NULL), 0);
	assert_string_equal(again, "two");
}

/* A link that is in the place of a text goes; one on the way is followed, never out of the tree. */
static void links_are_followed_on_the_way_only(void **state)
{
	struct bench *b = *state;
	struct filetree *t = b->source.tree;
	const struct file *link;

	assert_int_equal(place_link(&b->p, "why", "etc", "../../real", NULL), 0);
	assert_int_equal(place_link(&b->p, "why", "etc/conf", "/elsewhere", NULL), 0);
	link = filetree_resolve(t, "real", NULL);
	assert_true(link && S_ISDIR(link->mode));
	assert_true(S_ISLNK(dir_find(link, "conf")->mode));
	assert_string_equal(dir_find(link, "conf")->target, "/elsewhere");
	assert_int_equal(place_text(&b->p, "why", "etc/conf", owner, "x", NULL), 0);
	assert_true(S_ISREG(dir_find(link, "conf")->mode));
	assert_null(dir_find(t->root, "elsewhere"));
	assert_true(S_ISLNK(dir_find(t->root, "etc")->mode));
}

static void a_directory_that_is_there_keeps_its_looks(void **state)
{
	struct bench *b = *state;
	struct filetree *t = b->source.tree;
	const struct owner other = { .mode = 0700, .uid = 9, .gid = 9 };

	assert_int_equal(place_dir(&b->p, "home/me", owner, NULL), 0);
	assert_int_equal(place_dir(&b->p, "home/me", other, NULL), 0);
	assert_int_equal(filetree_resolve(t, "home/me", NULL)->mode, S_IFDIR | 0640);
	assert_int_equal(filetree_resolve(t, "home/me", NULL)->uid, 3);
	assert_int_equal(filetree_resolve(t, "home", NULL)->mode, S_IFDIR | 0755);
	/* The home of an account is a text of somebody's. */
	assert_int_equal(place_dir(&b->p, "x/../../../up", owner, NULL), 0);
	assert_int_equal(dir_find(t->root, "up")->uid, 3);
}

static void a_file_in_the_way_is_told(void **state)
{
	struct bench *b = *state;
	struct error err = { 0 };
	char *text = NULL;

	assert_int_equal(place_text(&b->p, "why", "a", owner, "x", NULL), 0);
	assert_int_equal(place_text(&b->p, "why", "a/b", owner, "x", &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "/a/b"));
	assert_int_equal(place_link(&b->p, "why", "a/b", "x", &err), -ENOTDIR);
	assert_int_equal(place_dir(&b->p, "a", owner, &err), -ENOTDIR);
	assert_string_equal(err.text, "cannot make /a on the disk: a file is in the way");
	assert_int_equal(place_dir(&b->p, "d", owner, NULL), 0);
	assert_int_equal(place_read(&b->p, "d", &text, NULL), -ENOENT);
}

static void a_huge_text_is_not_read(void **state)
{
	struct bench *b = *state;
	struct error err = { 0 };
	char *bytes = xcalloc(1, PLACED_TEXT_MAX + 2), *text = NULL;

	memset(bytes, 'x', PLACED_TEXT_MAX + 1);
	assert_int_equal(filetree_put_bytes(b->source.tree, "etc/huge", 0644, bytes,
					    PLACED_TEXT_MAX + 1, b->p.mtime, NULL),
			 0);
	assert_true(place_read(&b->p, "etc/huge", &text, &err) < 0);
	assert_null(text);
	assert_non_null(strstr(err.text, "/etc/huge"));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_text_is_put_with_its_owner_and_read_again),
		CASE(links_are_followed_on_the_way_only),
		CASE(a_directory_that_is_there_keeps_its_looks),
		CASE(a_file_in_the_way_is_told),
		CASE(a_huge_text_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

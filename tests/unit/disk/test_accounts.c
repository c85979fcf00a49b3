/* tests/unit/disk/test_accounts.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/accounts.h"
#include "disk/place.h"
#include "disk/source.h"

#define HOMES "/home"

static const struct timespec when = { .tv_sec = 86400 };

static void put(struct disk_source *s, const char *path, const char *text)
{
	assert_int_equal(
		filetree_put_bytes(s->tree, path, 0755, xstrdup(text), strlen(text), when, NULL),
		0);
}

static const char *text_of(const struct disk_source *s, const char *path)
{
	const struct file *f = filetree_resolve(s->tree, path, NULL);

	return f && S_ISREG(f->mode) ? f->content.bytes : "";
}

static void assert_file(const struct disk_source *s, const char *path, mode_t mode, uint32_t id)
{
	const struct file *f = filetree_resolve(s->tree, path, NULL);

	assert_non_null(f);
	assert_int_equal(f->mode, mode);
	assert_int_equal(f->uid, id);
	assert_int_equal(f->gid, id);
}

static void what_is_no_account(void **state)
{
	static const char *const cases[] = { "",
					     "-a",
					     "a b",
					     "1000",
					     "a/b",
					     "a:x",
					     "a:0",
					     "a:99999",
					     "a::b c",
					     "a:1:,",
					     "a-name-that-is-longer-than-an-account-may-have" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct account a;

		assert_int_equal(account_parse(cases[i], &a, NULL), -EINVAL);
	}
}

static void a_new_account(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct placing p = { .source = &s, .mtime = when };
	struct account a = { .uid = 0 };

	(void)state;
	put(&s, "etc/passwd",
	    "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::" HOMES "/bob:/bin/sh");
	put(&s, "etc/group", "root:x:0:\nsudo:x:27:bob\nbob:x:1000:\nadm:x:4:\nother:x:1001:\n");
	put(&s, "etc/shadow", "root:*:1:0:99999:7:::\n");
	put(&s, "etc/skel/.profile", "profile");
	put(&s, "etc/skel/.config/deep", "deep");
	put(&s, "bin/bash", "");
	assert_int_equal(account_parse("ann::sudo,adm", &a, NULL), 0);
	assert_int_equal(account_put(&p, &a, NULL), 0);
	assert_int_equal(account_put(&p, &a, NULL), 0); /* it is there: nothing more */
	assert_string_equal(text_of(&s, "etc/passwd"),
			    "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::" HOMES
			    "/bob:/bin/sh\n"
			    "ann:x:1001:1002::" HOMES "/ann:/bin/bash\n");
	assert_string_equal(
		text_of(&s, "etc/group"),
		"root:x:0:\nsudo:x:27:bob,ann\nbob:x:1000:\nadm:x:4:ann\nother:x:1001:\nann:x:1002:\n");
	assert_string_equal(text_of(&s, "etc/shadow"),
			    "root:*:1:0:99999:7:::\nann:!:1:0:99999:7:::\n");
	assert_string_equal(text_of(&s, "home/ann/.profile"), "profile");
	assert_string_equal(text_of(&s, "home/ann/.config/deep"), "deep");
	assert_int_equal(filetree_resolve(s.tree, "home/ann", NULL)->mode, S_IFDIR | 0700);
	assert_int_equal(filetree_resolve(s.tree, "home/ann/.profile", NULL)->uid, 1001);
	account_done(&a);
}

static void what_an_account_may_not_be(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = { { "bob:1001", -EEXIST },
		      { "ann:1000", -EEXIST },
		      { "ann::nowhere", -ENOENT },
		      { "broken", -EBADMSG } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
		struct placing p = { .source = &s, .mtime = when };
		struct account a = { .uid = 0 };

		put(&s, "etc/passwd", "bob:x:1000:1000::" HOMES "/bob:/bin/sh\nbroken:x\n");
		put(&s, "etc/group", "bob:x:1000:\n");
		assert_int_equal(account_parse(cases[i].text, &a, NULL), 0);
		assert_int_equal(account_put(&p, &a, NULL), cases[i].r);
		account_done(&a);
	}
}

static void passwords_and_keys(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct placing p = { .source = &s, .mtime = when };

	(void)state;
	put(&s, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nann:x:7:7::/srv/ann:/bin/sh\n");
	put(&s, "etc/shadow", "root:*:1:0:99999:7:::\n");
	put(&s, "srv/ann/.ssh/authorized_keys", "first");
	assert_int_equal(account_set_hash(&p, "root", "$6$a$b", "true", NULL), 0);
	assert_int_equal(account_set_hash(&p, "ann", "$6$c$d", "true", NULL), 0);
	assert_int_equal(account_set_hash(&p, "eve", "$6$c$d", "true", NULL), -ENOENT);
	assert_string_equal(text_of(&s, "etc/shadow"),
			    "root:$6$a$b:1:0:99999:7:::\nann:$6$c$d:1:0:99999:7:::\n");
	assert_int_equal(account_add_keys(&p, "root", "key\n", NULL), 0);
	assert_int_equal(account_add_keys(&p, "ann", "second\n", NULL), 0);
	assert_int_equal(account_add_keys(&p, "eve", "key\n", NULL), -ENOENT);
	assert_file(&s, "root/.ssh", S_IFDIR | 0700, 0);
	assert_file(&s, "root/.ssh/authorized_keys", S_IFREG | 0600, 0);
	assert_file(&s, "srv/ann/.ssh/authorized_keys", S_IFREG | 0600, 7);
	assert_string_equal(text_of(&s, "srv/ann/.ssh/authorized_keys"), "first\nsecond\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_account),
		cmocka_unit_test(a_new_account),
		cmocka_unit_test(what_an_account_may_not_be),
		cmocka_unit_test(passwords_and_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/builder/test_unpack_add.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "builder/draft.h"
#include "builder/unpack_add.h"

/* One entry of an archive: a header as ustar has it, and its bytes. */
static void put_entry(int fd, const char *name, char type, const char *link, const char *bytes)
{
	char block[512] = "";
	unsigned sum = 0;

	(void)snprintf(block, 100, "%s", name);
	(void)snprintf(block + 100, 8, "%07o", 0644);
	(void)snprintf(block + 108, 8, "%07o", 11);
	(void)snprintf(block + 116, 8, "%07o", 12);
	(void)snprintf(block + 124, 12, "%011o", (unsigned)strlen(bytes) & 0777);
	(void)snprintf(block + 136, 12, "%011o", 1000);
	memset(block + 148, ' ', 8);
	block[156] = type;
	(void)snprintf(block + 157, 100, "%s", link);
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum);
	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	if (*bytes) {
		memset(block, 0, sizeof(block));
		memcpy(block, bytes, strlen(bytes));
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	}
}

static int begin(const char *dir)
{
	autofree char *path = xasprintf("%s/archive.tar", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void end(int fd)
{
	static const char zeros[1024];

	assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static int unpack(const char *dir, int fd, bool takes_owners, struct error *err)
{
	static const struct strv none = { 0 };
	static const struct draft_looks looks = { .uid = 0, .gid = 0 };
	autofree char *path = xasprintf("%s/draft", dir);
	cleanup(draft_done) struct draft draft = { .fd = -1, .here_fd = -1 };
	autoclose int out = -1;
	struct unpack_add req = { .draft = &draft,
				  .fd = fd,
				  .name = "archive.tar",
				  .dest = "/to",
				  .looks = &looks,
				  .takes_owners = takes_owners };
	int r;

	assert_int_equal(dir_ensure_at(AT_FDCWD, path, 0755, &out, NULL), 0);
	draft_init(&draft, out, &none);
	r = unpack_add(&req, err);
	return r == 0 ? draft_finish(&draft, err) : r;
}

static void entries_get_their_places_and_owners(void **state)
{
	autofree char *path = xasprintf("%s/draft/to/dir/file", (char *)*state), *text = NULL;
	autoclose int fd = begin(*state);
	struct stat st;

	put_entry(fd, "dir/file", '0', "", "bytes");
	put_entry(fd, "dir/hard", '1', "dir/file", "");
	put_entry(fd, "soft", '2', "/etc/passwd", "");
	end(fd);
	assert_int_equal(unpack(*state, fd, geteuid() == 0, NULL), 0);
	text = scratch_get(*state, "draft/to/dir/hard");
	assert_string_equal(text, "bytes");
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 11);
		assert_int_equal(st.st_gid, 12);
	}
}

static void what_is_no_archive_is_left_alone(void **state)
{
	autoclose int fd = begin(*state);

	assert_int_equal(write(fd, "no archive, only words\n", 23), 23);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(unpack(*state, fd, false, NULL), 1);
}

static void names_and_links_lead_nowhere_outside(void **state)
{
	static const struct {
		const char *first, *link; /* a link, then a file */
		const char *second;
	} cases[] = {
		{ NULL, NULL, "../../strake-out" },
		{ NULL, NULL, "/strake-out" },
		{ "l", "/", "l/strake-out" },
		{ "l", "../../../..", "l/strake-out" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *draft = xasprintf("%s/draft", (char *)*state);
		autofree char *beside = xasprintf("%s/strake-out", (char *)*state);
		autoclose int fd = begin(*state);
		struct error err = { 0 };

		if (cases[i].first)
			put_entry(fd, cases[i].first, '2', cases[i].link, "");
		put_entry(fd, cases[i].second, '0', "", "x");
		end(fd);
		/* It may be refused, or land inside. */
		ignore_result(unpack(*state, fd, false, &err));
		assert_int_not_equal(access("/strake-out", F_OK), 0);
		assert_int_not_equal(access(beside, F_OK), 0);
		assert_int_equal(dir_remove_at(AT_FDCWD, draft, NULL), 0);
	}
}

static void a_cut_archive_is_an_error(void **state)
{
	autoclose int fd = begin(*state);
	struct error err = { 0 };

	put_entry(fd, "file", '0', "", "bytes");
	assert_int_equal(ftruncate(fd, 600), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(unpack(*state, fd, false, &err) < 0);
	assert_non_null(strstr(err.text, "archive.tar"));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(entries_get_their_places_and_owners),
		CASE(what_is_no_archive_is_left_alone),
		CASE(names_and_links_lead_nowhere_outside),
		CASE(a_cut_archive_is_an_error),
	};

	return cmocka_run_group_tests_name("builder/unpack_add", tests, NULL, NULL);
}

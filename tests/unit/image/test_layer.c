/* tests/unit/image/test_layer.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../scratch.h"
#include "base/error.h"
#include "image/frame.h"
#include "image/layer.h"
#include "image/layer_info.h"
#include "image/stream.h"

#define TAR_BYTES_MAX 65536
#define ENTRIES_MAX   8

/* One member of a made archive; link for hard links and symbolic ones. */
struct member {
	const char *name;
	unsigned type; /* AE_IF*; 0 with a link: a hard link */
	const char *text;
	unsigned mode;
};

static void add_member(struct archive *a, const struct member *m)
{
	struct archive_entry *entry = archive_entry_new();
	bool file = m->type == AE_IFREG;
	size_t len = file && m->text ? strlen(m->text) : 0;

	archive_entry_set_pathname(entry, m->name);
	archive_entry_set_filetype(entry, m->type ? m->type : AE_IFREG);
	archive_entry_set_perm(entry, (mode_t)(m->mode ? m->mode : 0755));
	archive_entry_set_uid(entry, getuid());
	archive_entry_set_gid(entry, getgid());
	archive_entry_set_mtime(entry, 1000000, 0);
	archive_entry_set_size(entry, (int64_t)len);
	if (m->type == AE_IFLNK)
		archive_entry_set_symlink(entry, m->text);
	else if (!m->type)
		archive_entry_set_hardlink(entry, m->text);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	if (len)
		assert_int_equal(archive_write_data(a, m->text, len), len);
	archive_entry_free(entry);
}

static int tar_file(const struct member *members)
{
	struct archive *a = archive_write_new();
	int fd = memfd_create("layer", MFD_CLOEXEC);
	char bytes[TAR_BYTES_MAX];
	size_t used = 0;

	assert_true(fd >= 0);
	(void)archive_write_set_format_pax_restricted(a);
	(void)archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, bytes, sizeof(bytes), &used), ARCHIVE_OK);
	for (; members->name; members++)
		add_member(a, members);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	(void)archive_write_free(a);
	assert_int_equal(file_write_all(fd, bytes, used), 0);
	return fd;
}

static int list_lower(void *data, struct strv *ret, struct error *err)
{
	(void)err;
	strv_addf(ret, "%s/lower", (const char *)data);
	return 0;
}

static bool framed; /* the last archive can be made again from its tree */

struct against {
	int fd;
	int64_t at;
};

static int same_bytes(void *data, const void *bytes, size_t len, struct error *err)
{
	struct against *a = data;
	autofree char *want = xmalloc(len);

	(void)err;
	assert_int_equal(pread(a->fd, want, len, a->at), len);
	assert_memory_equal(bytes, want, len);
	a->at += (int64_t)len;
	return 0;
}

/* What was unpacked and what was noted beside it are the archive, or it is known that they are not.
 */
static bool check_frame(const char *dir, struct frame_writer *frame, int tar)
{
	autofree char *tree = xasprintf("%s/new", dir);
	autoclose int in = scratch_open(dir), tree_fd = scratch_open(tree), frame_fd = -1;
	struct against a = { .fd = tar };
	int r = frame_end(frame, NULL);

	frame_fd = openat(in, LAYER_FRAME, O_RDONLY | O_CLOEXEC);
	if (r < 0) {
		autoclose int blob = frame_steal_blob(frame);
		autofree char *whole = xmalloc(TAR_BYTES_MAX);
		ssize_t n = pread(blob, whole, TAR_BYTES_MAX, 0);

		assert_int_equal(r, -ESTALE);
		assert_int_equal(frame_fd, -1);
		assert_int_equal(n, lseek(tar, 0, SEEK_END));
		return same_bytes(&a, whole, (size_t)n, NULL) > 0;
	}
	assert_int_equal(frame_write(frame_fd, tree_fd, same_bytes, &a, NULL), 0);
	assert_int_equal(a.at, lseek(tar, 0, SEEK_END));
	return true;
}

/* Unpacks into DIR/new, with DIR/lower below it. */
static int apply(const char *dir, const struct member *members, int64_t *ret_size,
		 struct error *err)
{
	autofree char *into = xasprintf("%s/new", dir);
	cleanup(stream_cleanup) struct stream *stream = NULL;
	autoclose int tar = tar_file(members), dir_fd = -1, top = scratch_open(dir);
	cleanup(frame_writer_cleanup) struct frame_writer *frame = NULL;
	const struct stream_request sr = { .fd = tar, .size = -1, .keep_fd = -1, .stop_fd = -1 };
	struct layer_request req;
	struct layer_result result = { .size = 0 };
	int r = dir_ensure_at(AT_FDCWD, into, 0755, &dir_fd, NULL);

	assert_int_equal(r, 0);
	assert_int_equal(stream_open(&sr, &stream, NULL), 0);
	assert_int_equal(frame_writer_new(top, &frame, NULL), 0);
	req = (struct layer_request) { .dir_fd = dir_fd,
				       .lower = list_lower,
				       .data = (void *)dir,
				       .frame = frame,
				       .entries_max = ENTRIES_MAX };
	r = layer_apply(&req, stream, &result, err);
	if (r < 0)
		return r;
	*ret_size = result.size;
	framed = check_frame(dir, frame, tar);
	return r;
}

/* The same without knowing what is below; *ret_result is the caller's. */
static int apply_alone(const char *dir, const struct member *members,
		       struct layer_result *ret_result, struct error *err)
{
	autofree char *into = xasprintf("%s/new", dir);
	cleanup(stream_cleanup) struct stream *stream = NULL;
	autoclose int tar = tar_file(members), dir_fd = -1;
	const struct stream_request sr = { .fd = tar, .size = -1, .keep_fd = -1, .stop_fd = -1 };
	struct layer_request req = { .dir_fd = -1 };

	assert_int_equal(dir_ensure_at(AT_FDCWD, into, 0755, &dir_fd, NULL), 0);
	assert_int_equal(stream_open(&sr, &stream, NULL), 0);
	req.dir_fd = dir_fd;
	return layer_apply(&req, stream, ret_result, err);
}

static struct stat stat_of(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	struct stat st = { 0 };

	(void)lstat(path, &st);
	return st;
}

static void kinds_modes_and_times_are_kept(void **state)
{
	static const struct member members[] = {
		{ "./", AE_IFDIR, NULL, 0751 },
		{ "dir/", AE_IFDIR, NULL, 0700 },
		{ "dir/file", AE_IFREG, "text", 0640 },
		{ "dir/link", AE_IFLNK, "/dir/file", 0777 },
		{ "dir/hard", 0, "dir/file", 0640 },
		{ "a/b/c", AE_IFREG, "deep", 0600 },
		{ NULL },
	};
	const char *dir = *state;
	int64_t size = 0;

	assert_int_equal(apply(dir, members, &size, NULL), 0);
	assert_int_equal(size, 8);
	assert_true(framed);
	assert_int_equal(stat_of(dir, "new").st_mode, S_IFDIR | 0751);
	assert_int_equal(stat_of(dir, "new/dir").st_mode, S_IFDIR | 0700);
	assert_int_equal(stat_of(dir, "new/dir").st_mtime, 1000000);
	assert_int_equal(stat_of(dir, "new/dir/file").st_mode, S_IFREG | 0640);
	assert_int_equal(stat_of(dir, "new/dir/file").st_size, 4);
	assert_int_equal(stat_of(dir, "new/dir/file").st_nlink, 2);
	assert_int_equal(stat_of(dir, "new/dir/link").st_mode & S_IFMT, S_IFLNK);
	assert_int_equal(stat_of(dir, "new/a/b/c").st_size, 4);
}

static void a_later_entry_replaces_an_earlier_one(void **state)
{
	static const struct member members[] = {
		{ "a/b", AE_IFREG, "1", 0 },   { "a", AE_IFREG, "file", 0 },
		{ "a", AE_IFDIR, NULL, 0 },    { "a/c", AE_IFREG, "22", 0 },
		{ "a/c", AE_IFREG, "333", 0 }, { NULL },
	};
	const char *dir = *state;
	int64_t size = 0;

	assert_int_equal(apply(dir, members, &size, NULL), 0);
	assert_int_equal(stat_of(dir, "new/a/b").st_mode, 0);
	assert_int_equal(stat_of(dir, "new/a/c").st_size, 3);
	assert_false(framed);
}

/* What may not be is an error, what looks dangerous may also end inside: never outside. */
static void nothing_gets_outside(void **state)
{
	static const struct {
		struct member members[ENTRIES_MAX];
		bool refused;
	} cases[] = {
		{ { { "../outside", AE_IFREG, "x", 0 } }, true },
		{ { { "a/../../outside", AE_IFREG, "x", 0 } }, true },
		{ { { "/outside", AE_IFREG, "x", 0 } }, false },
		{ { { "up", AE_IFLNK, "..", 0 }, { "up/outside", AE_IFREG, "x", 0 } }, false },
		{ { { "up", AE_IFLNK, "../../../..", 0 }, { "up/outside", AE_IFDIR, NULL, 0 } },
		  false },
		{ { { "h", 0, "../lower/secret", 0 } }, true },
		{ { { "up", AE_IFLNK, "../lower", 0 }, { "h", 0, "up/secret", 0 } }, true },
		{ { { "l", AE_IFLNK, "../outside", 0 }, { "l", AE_IFREG, "x", 0 } }, false },
		{ { { "l", AE_IFLNK, "..", 0 },
		    { "l", AE_IFDIR, NULL, 0 },
		    { "l/outside", AE_IFREG, "x", 0 } },
		  false },
		{ { { ".wh...", AE_IFREG, "", 0 } }, true },
		{ { { ".wh..", AE_IFREG, "", 0 } }, true },
		{ { { ".wh.", AE_IFREG, "", 0 } }, true },
		{ { { ".", AE_IFLNK, "/", 0 } }, true },
	};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *into = xasprintf("%s/new", dir), *text = NULL;
		int64_t size;
		int r;

		scratch_put(dir, "lower/other", "not for this layer's links");
		scratch_put(dir, "secret", "secret");
		r = apply(dir, cases[i].members, &size, NULL);
		if ((r < 0) != cases[i].refused)
			fail_msg("case %zu: %d", i, r);
		assert_int_equal(stat_of(dir, "outside").st_mode, 0);
		assert_int_equal(stat_of(dir, "secret").st_nlink, 1);
		assert_int_equal(stat_of(dir, "lower/other").st_nlink, 1);
		text = scratch_get(dir, "secret");
		assert_string_equal(text, "secret");
		assert_int_equal(dir_remove_at(AT_FDCWD, into, NULL), 0);
	}
}

/* Eight million in life. */
static void entries_are_counted(void **state)
{
	struct member members[ENTRIES_MAX + 2] = { { NULL } };
	const char *dir = *state;
	struct error err = { 0 };
	int64_t size;

	for (size_t i = 0; i <= ENTRIES_MAX; i++)
		members[i] = (struct member) { "same", AE_IFREG, "x", 0 };
	assert_int_equal(apply(dir, members, &size, &err), -EFBIG);
	assert_string_equal(err.text, "the layer has more than 8 entries");
	members[ENTRIES_MAX] = (struct member) { NULL };
	assert_int_equal(apply(dir, members, &size, &err), 0);
}

static void a_hard_link_to_a_layer_below_is_a_copy(void **state)
{
	static const struct member members[] = {
		{ "copy", 0, "etc/file", 0 },
		{ NULL },
	};
	const char *dir = *state;
	autofree char *text = NULL;
	int64_t size;

	scratch_put(dir, "lower/etc/file", "below");
	assert_int_equal(apply(dir, members, &size, NULL), 0);
	text = scratch_get(dir, "new/copy");
	assert_string_equal(text, "below");
	assert_int_equal(stat_of(dir, "lower/etc/file").st_nlink, 1);
}

/* Opening a device may do something to the machine (a watchdog).  A socket tells: to open one
 * fails.
 */
static void what_is_no_file_below_is_not_opened(void **state)
{
	static const struct member members[] = {
		{ "copy", 0, "socket", 0 },
		{ NULL },
	};
	const char *dir = *state;
	autofree char *socket = xasprintf("%s/lower/socket", dir);
	int64_t size;

	scratch_put(dir, "lower/file", "");
	assert_int_equal(mknod(socket, S_IFSOCK | 0600, 0), 0);
	assert_int_equal(apply(dir, members, &size, NULL), -EBADMSG);
}

static void whiteouts_become_devices(void **state)
{
	static const struct member members[] = {
		{ "etc/.wh.gone", AE_IFREG, "", 0 },  { "etc/stays", AE_IFREG, "x", 0 },
		{ "etc/.wh.stays", AE_IFREG, "", 0 }, { "etc/.wh..wh.plnk", AE_IFREG, "", 0 },
		{ "etc/.wh.never", AE_IFREG, "", 0 }, { NULL },
	};
	const char *dir = *state;
	struct stat st;
	int64_t size;

	if (getuid() != 0)
		skip();
	scratch_put(dir, "lower/etc/gone", "");
	assert_int_equal(apply(dir, members, &size, NULL), 0);
	st = stat_of(dir, "new/etc/gone");
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	assert_true(S_ISREG(stat_of(dir, "new/etc/stays").st_mode));
	/* Nothing is below: nothing to hide, and in a new directory it would be seen. */
	assert_int_equal(stat_of(dir, "new/etc/never").st_mode, 0);
	assert_int_equal(stat_of(dir, "new/etc/.wh..wh.plnk").st_mode, 0);
}

static void a_directory_that_is_not_named_looks_as_below(void **state)
{
	static const struct member members[] = {
		{ "etc/deep/file", AE_IFREG, "x", 0 },
		{ NULL },
	};
	const char *dir = *state;
	autofree char *below = xasprintf("%s/lower/etc", dir);
	int64_t size;

	scratch_put(dir, "lower/etc/other", "");
	assert_int_equal(chmod(below, 0711), 0);
	assert_int_equal(apply(dir, members, &size, NULL), 0);
	assert_int_equal(stat_of(dir, "new/etc").st_mode, S_IFDIR | 0711);
	assert_int_equal(stat_of(dir, "new/etc/deep").st_mode, S_IFDIR | 0755);
}

static void without_layers_below_whiteouts_are_left_to_be_looked_at(void **state)
{
	static const struct member members[] = {
		{ "etc/", AE_IFDIR, NULL, 0755 },
		{ "etc/.wh.gone", AE_IFREG, "", 0 },
		{ "etc/.wh.never", AE_IFREG, "", 0 },
		{ NULL },
	};
	const char *dir = *state;
	autofree char *below = xasprintf("%s/lower", dir), *tree = xasprintf("%s/new", dir);
	struct layer_result result = { .size = 0 };
	struct strv lower = { 0 };
	autoclose int fd = -1;

	if (getuid() != 0)
		skip();
	scratch_put(dir, "lower/etc/gone", "");
	assert_int_equal(apply_alone(dir, members, &result, NULL), 0);
	assert_int_equal(result.whiteouts.n, 2);
	assert_true(S_ISCHR(stat_of(dir, "new/etc/never").st_mode));
	strv_add(&lower, below);
	fd = scratch_open(tree);
	assert_int_equal(layer_drop_whiteouts(fd, &result.whiteouts, &lower, NULL), 0);
	assert_int_equal(stat_of(dir, "new/etc/never").st_mode, 0);
	assert_true(S_ISCHR(stat_of(dir, "new/etc/gone").st_mode));
	assert_int_equal(stat_of(dir, "new/etc").st_mtime, 1000000);
	strv_done(&result.whiteouts);
	strv_done(&lower);
}

static void what_needs_layers_below_says_so(void **state)
{
	static const struct member link[] = { { "copy", 0, "etc/file", 0 }, { NULL } };
	static const struct member parent[] = { { "usr/new", AE_IFREG, "x", 0 }, { NULL } };
	struct layer_result result = { .size = 0 };
	struct error err = { 0 };

	assert_int_equal(apply_alone(*state, link, &result, &err), -ENODATA);
	assert_int_equal(apply_alone(*state, parent, &result, &err), -ENODATA);
	assert_string_equal(err.text, "the layers below are not known yet");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(kinds_modes_and_times_are_kept),
		CASE(a_later_entry_replaces_an_earlier_one),
		CASE(nothing_gets_outside),
		CASE(entries_are_counted),
		CASE(a_hard_link_to_a_layer_below_is_a_copy),
		CASE(what_is_no_file_below_is_not_opened),
		CASE(whiteouts_become_devices),
		CASE(a_directory_that_is_not_named_looks_as_below),
		CASE(without_layers_below_whiteouts_are_left_to_be_looked_at),
		CASE(what_needs_layers_below_says_so),
	};

	(void)umask(022);
	return cmocka_run_group_tests_name("image/layer", tests, NULL, NULL);
}

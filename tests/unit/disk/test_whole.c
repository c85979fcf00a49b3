/* tests/unit/disk/test_whole.c - roots with mounts; machines without an operating system and btrfs
 * are in tests/system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "disk/ext4.h"
#include "disk/filetree.h"
#include "disk/reading.h"

#define EXT4_SIZE (8LL << 20)

static const struct timespec when = { .tv_sec = 1700000000 };
static const struct identity id = { .seed = "5eed" };

static void write_one(struct filetree *t, int fd, int64_t offset, const char *label)
{
	struct ext4_request req = {
		.fd = fd, .offset = offset, .size = EXT4_SIZE, .label = label, .now_s = 1700000000
	};

	identity_uuid(&id, label, req.uuid);
	assert_int_equal(ext4_write(t, &req, NULL), 0);
}

/* A root with that fstab, and two more: "one" with one/file, "two" with file. */
static char *make_disk(const char *dir, const char *fstab)
{
	cleanup(filetree_cleanup) struct filetree *root = filetree_new(), *one = filetree_new(),
						  *two = filetree_new();
	char *path = xasprintf("%s/disk", dir);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct file *link = filetree_add(root, S_IFLNK | 0777);
	struct layout l;

	layout_begin(&l, TABLE_GPT, &id);
	(void)layout_add(&l, PARTITION_ROOT, "root", EXT4_SIZE);
	(void)layout_add(&l, PARTITION_DATA, "one", EXT4_SIZE);
	(void)layout_add(&l, PARTITION_DATA, "two", EXT4_SIZE);
	assert_int_equal(ftruncate(fd, partition_disk_size(l.end)), 0);
	assert_int_equal(partition_write(fd, &l, NULL), 0);
	assert_int_equal(filetree_put_bytes(root, "etc/fstab", 0644, xstrdup(fstab), strlen(fstab),
					    when, NULL),
			 0);
	assert_int_equal(filetree_put_bytes(root, "boot/hidden", 0644, xstrdup("x"), 1, when, NULL),
			 0);
	link->target = xstrdup("../../../boot");
	dir_put(root->root, "link", link);
	assert_int_equal(filetree_put_bytes(one, "one/file", 0644, xstrdup("1"), 1, when, NULL), 0);
	assert_int_equal(filetree_put_bytes(two, "file", 0644, xstrdup("22"), 2, when, NULL), 0);
	one->root->uid = 7;
	write_one(root, fd, l.parts[0].offset, "root");
	write_one(one, fd, l.parts[1].offset, "one");
	write_one(two, fd, l.parts[2].offset, "two");
	assert_int_equal(ftruncate(fd, partition_disk_size(l.end)), 0);
	assert_int_equal(partition_move_tail(fd, NULL), 0);
	return path;
}

static struct disk *opened(const char *path, int partition, int expected)
{
	struct disk *d = NULL;

	assert_int_equal(disk_open(path, partition, &d, NULL), 0);
	assert_int_equal(disk_read(d, NULL), expected);
	return d;
}

static int64_t size_of(const struct disk *d, const char *path)
{
	struct disk_entry e = { .target = NULL };
	int r = disk_find(d, path, &e, NULL);

	disk_entry_done(&e);
	return r < 0 ? r : e.size;
}

static void what_fstab_mounts_is_there(void **state)
{
	char uuid[UUID_TEXT_LEN + 1];
	autofree char *fstab = NULL, *path = NULL;
	cleanup(disk_cleanup) struct disk *d = NULL, *alone = NULL;
	struct disk_entry e = { .target = NULL };

	identity_text(&id, "one", uuid);
	fstab = xasprintf("# what is where\n"
			  "LABEL=root / ext4 defaults 0 1\n"
			  "UUID=\"%s\"\t/boot ext4 defaults 0 2\n"
			  "/dev/disk/by-label/two /boot/one/a\\040b ext4 ro 0 0\n"
			  "/dev/sdb1 /home ext4 defaults 0 0\n"
			  "LABEL=away /srv ext4 defaults\n"
			  "tmpfs /tmp tmpfs defaults 0 0\n"
			  "/swap none swap sw 0 0\nshort line\n",
			  uuid);
	path = make_disk(*state, fstab);
	d = opened(path, 0, 0);
	assert_int_equal(size_of(d, "/boot/one/file"), 1);
	assert_int_equal(size_of(d, "/boot/one/a b/file"), 2);
	assert_int_equal(size_of(d, "/boot/hidden"), -ENOENT);
	assert_int_equal(disk_find(d, "/boot", &e, NULL), 0);
	assert_int_equal(e.uid, 7);
	disk_entry_done(&e);
	assert_int_equal(d->left_out.n, 2);
	assert_string_equal(d->left_out.items[0], "/home (/dev/sdb1)");
	assert_string_equal(d->left_out.items[1], "/srv (LABEL=away)");
	/* One that is asked for is as it is. */
	alone = opened(path, 1, 0);
	assert_int_equal(size_of(alone, "/boot/hidden"), 1);
	assert_int_equal(alone->left_out.n, 0);
}

static void mounts_lead_nowhere_else(void **state)
{
	static const struct {
		const char *line;
		int r;
		const char *there;
	} cases[] = {
		{ "LABEL=two /../../../x ext4 defaults", 0, "/x/file" },
		{ "LABEL=two /link/x ext4 defaults", 0, "/boot/x/file" },
		{ "LABEL=two /etc/fstab ext4 defaults", -ENOTDIR, NULL },
		{ "LABEL=two / ext4 defaults", 0, "/etc/fstab" },
		{ "LABEL=two //. ext4 defaults", -ENOTDIR, NULL },
		{ "LABEL=root /again ext4 defaults", 0, "/etc/fstab" },
		{ "LABEL=two relative ext4 defaults", 0, "/etc/fstab" },
		{ "LABEL= /x ext4 defaults", 0, "/etc/fstab" },
		{ "LABEL=two /x ext4 a\nLABEL=two /x/x ext4 a\nLABEL=two /x ext4 a", 0, "/x/file" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = make_disk(*state, cases[i].line);
		cleanup(disk_cleanup) struct disk *d = opened(path, 0, cases[i].r);

		if (cases[i].there)
			assert_true(size_of(d, cases[i].there) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_fstab_mounts_is_there, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(mounts_lead_nowhere_else, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

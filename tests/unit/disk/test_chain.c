/* tests/unit/disk/test_chain.c - disks as 'disk build' lays them out, each but the first with one
 * link that does not hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/buf.h"
#include "disk/chain.h"
#include "disk/esp.h"
#include "disk/ext4.h"
#include "disk/fat.h"
#include "disk/filetree.h"
#include "disk/output.h"
#include "disk/reading.h"

#define ROOT_SIZE (8LL << 20)

static const struct timespec when = { .tv_sec = 1700000000 };
static const struct identity id = { .seed = "5eed" };

struct wish {
	mode_t init;      /* of /sbin/init; 0: none */
	const char *root; /* what the kernel is told; NULL: the UUID that there is */
	const char *more;
	bool no_esp;
	const char *broken; /* what is told of the link; NULL: all hold */
};

static bool is_installed(const char *program)
{
	autofree char *a = xasprintf("/usr/bin/%s", program);
	autofree char *b = xasprintf("/usr/sbin/%s", program);

	return access(a, X_OK) == 0 || access(b, X_OK) == 0;
}

static void put_root(const struct wish *wish, int fd, int64_t offset)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct ext4_request req = {
		.fd = fd, .offset = offset, .size = ROOT_SIZE, .label = "root", .now_s = 1
	};

	identity_uuid(&id, "root", req.uuid);
	if (wish->init)
		assert_int_equal(
			filetree_put_bytes(t, "sbin/init", wish->init, xstrdup("x"), 1, when, NULL),
			0);
	assert_int_equal(ext4_write(t, &req, NULL), 0);
}

static void put_boot(const struct wish *wish, const struct output *out, const struct partition *p,
		     const char *loader)
{
	char uuid[UUID_TEXT_LEN + 1];
	autofree char *root = NULL, *cmdline = NULL, *entry = NULL, *names = NULL, *text = NULL;
	struct content kernel = content_of_bytes(xstrdup("a kernel"), 8);
	struct content initrd = content_of_bytes(xstrdup("an initrd"), 9);
	struct error err = { 0 };
	struct esp_request req = { .out = out,
				   .offset = p->offset,
				   .size = p->size,
				   .now_s = 1700000000,
				   .uefi = true,
				   .efi_loader = loader,
				   .kernel = &kernel,
				   .initrd = &initrd,
				   .kernel_source = "kernel",
				   .initrd_source = "initrd",
				   .title = "It" };

	identity_text(&id, "root", uuid);
	root = wish->root ? xstrdup(wish->root) : xasprintf("root=UUID=%s", uuid);
	cmdline = xasprintf("%s rootfstype=ext4 rw%s", root, wish->more ? wish->more : "");
	req.cmdline = cmdline;
	assert_true(esp_size(&req) == p->size);
	assert_int_equal(esp_write(&req, &err), 0);
	/* And it is there. */
	assert_int_equal(fat_list(out->fd, p->offset, &names, &err), 0);
	assert_non_null(strstr(names, "::/EFI/BOOT/BOOTX64.EFI\n"));
	assert_non_null(strstr(names, "::/initrd.img\n"));
	assert_int_equal(fat_read(out->fd, p->offset, "/loader/entries/strake.conf", &entry, &err),
			 0);
	text = xasprintf("title It\nlinux /vmlinuz\ninitrd /initrd.img\noptions %s\n", cmdline);
	assert_string_equal(entry, text);
	content_done(&kernel);
	content_done(&initrd);
}

static void make_disk(const struct wish *wish, const char *dir, const char *path)
{
	autofree char *loader = xasprintf("%s/loader.efi", dir);
	struct output out = OUTPUT_INIT;
	struct error err = { 0 };
	struct layout l;

	scratch_put(dir, "loader.efi", "MZ");
	assert_int_equal(output_open(path, OUTPUT_PLAIN, &out, &err), 0);
	layout_begin(&l, TABLE_GPT, &id);
	if (!wish->no_esp)
		(void)layout_add(&l, PARTITION_ESP, "boot", 36 << 20);
	(void)layout_add(&l, PARTITION_ROOT, "root", ROOT_SIZE);
	assert_int_equal(ftruncate(out.fd, partition_disk_size(l.end)), 0);
	put_root(wish, out.fd, l.parts[l.n - 1].offset);
	if (!wish->no_esp)
		put_boot(wish, &out, &l.parts[0], loader);
	assert_int_equal(ftruncate(out.fd, partition_disk_size(l.end)), 0);
	assert_int_equal(partition_write(out.fd, &l, &err), 0);
	assert_int_equal(output_finish(&out, &err), 0);
	output_done(&out);
}

static void note(void *data, const char *link, bool holds, const char *text)
{
	if (!holds)
		buf_addf(data, "%s: %s\n", link, text);
}

static void a_link_that_does_not_hold_is_named(void **state)
{
	static const struct wish wishes[] = {
		{ .init = 0755 },
		{ .init = 0755, .root = "root=PARTUUID=%PART%" },
		{ .root = "rdinit=/x" },
		{ .init = 0644,
		  .broken = "init: /sbin/init is missing, or cannot be executed: install one\n" },
		{ .broken = "init: /sbin/init is missing, or cannot be executed: install one\n" },
		{ .init = 0755,
		  .root = "root=UUID=1234",
		  .broken = "root: no ext4 with UUID 1234 is on the disk\n" },
		{ .init = 0755,
		  .root = "root=PARTUUID=12",
		  .broken = "root: no partition has the PARTUUID 12\n" },
		{ .init = 0755,
		  .root = "root=/dev/sda2",
		  .broken = "root: the kernel is not told a root by UUID\n" },
		{ .no_esp = true,
		  .init = 0755,
		  .broken = "firmware: there is no boot partition: no firmware finds a loader\n" },
	};

	if (!is_installed("mkfs.vfat") || !is_installed("mcopy"))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		autofree char *path = xasprintf("%s/disk%zu", (char *)*state, i), *root = NULL;
		cleanup(disk_cleanup) struct disk *d = NULL;
		struct buf told = BUF_INIT(65536);
		struct wish wish = wishes[i];
		struct error err = { 0 };
		struct layout l;
		int r;

		layout_begin(&l, TABLE_GPT, &id);
		(void)layout_add(&l, PARTITION_ESP, "boot", 36 << 20);
		root = xasprintf("root=PARTUUID=%s",
				 layout_add(&l, PARTITION_ROOT, "root", ROOT_SIZE)->uuid);
		if (wish.root && strstr(wish.root, "%PART%"))
			wish.root = root;
		make_disk(&wish, *state, path);
		assert_int_equal(disk_open(path, 0, &d, &err), 0);
		r = chain_check(d, note, &told, &err);
		assert_string_equal(buf_text(&told), wish.broken ? wish.broken : "");
		assert_int_equal(r, wish.broken ? 1 : 0);
		buf_done(&told);
		assert_int_equal(unlink(path), 0);
	}
}

/* Two copies of kernel and initrd, the loaders, and FAT's own books. */
static void the_boot_partition_has_room_for_what_is_in_it(void **state)
{
	const struct content kernel = { .size = 20 << 20 }, initrd = { .size = 60 << 20 };
	struct esp_request req = { .kernel = &kernel };

	(void)state;
	assert_true(esp_size(&req) == 36 << 20);
	req.initrd = &initrd;
	assert_true(esp_size(&req) >= 81 << 20);
	assert_true(esp_size(&req) < 100 << 20);
	assert_int_equal(esp_size(&req) % PARTITION_ALIGN, 0);
	req.spare = true;
	assert_true(esp_size(&req) >= 161 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_link_that_does_not_hold_is_named, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(the_boot_partition_has_room_for_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

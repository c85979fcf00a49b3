/* tests/unit/disk/test_emulator.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/emulator.h"

static char *command(const struct emulator_request *req, int expected)
{
	struct strv argv = { 0 };
	char *text = xstrdup("");

	assert_int_equal(emulator_command(req, &argv, NULL), expected);
	for (size_t i = 0; i < argv.n; i++) {
		char *longer = xasprintf("%s %s", text, argv.items[i]);

		free(text);
		text = longer;
	}
	strv_done(&argv);
	return text;
}

static struct emulator_request request(void)
{
	return (struct emulator_request) { .path = "a,b",
					   .bus = "virtio",
					   .format = "raw",
					   .memory = 512U << 20,
					   .cpus = 2,
					   .monitor = -1,
					   .write = true };
}

static void disks_and_their_ways(void **state)
{
	static const struct {
		const char *bus, *says;
		int r;
	} cases[] = { { "virtio", "-device virtio-blk-pci,drive=disk,bootindex=0", 0 },
		      { "sata", "-device ide-hd,drive=disk,bootindex=0", 0 },
		      { "nvme", "-device nvme,drive=disk,serial=strake,bootindex=0", 0 },
		      { "floppy", "", -EINVAL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct emulator_request req = request();
		autofree char *text = NULL;

		req.bus = cases[i].bus;
		text = command(&req, cases[i].r);
		assert_non_null(strstr(text, cases[i].says));
		assert_true(cases[i].r || strstr(text, "file=a,,b -device"));
		assert_non_null(strstr(text, "-smp 2 -m 512"));
	}
}

static void a_name_is_no_protocol(void **state)
{
	struct emulator_request req = request();
	autofree char *text = NULL;

	(void)state;
	req.path = "json:{,}";
	text = command(&req, 0);
	assert_non_null(strstr(text, "file=./json:{,,} "));
}

static void what_is_kept_and_with_what_it_runs(void **state)
{
	struct emulator_request req = request();
	autofree char *text = NULL, *talk = NULL;

	(void)state;
	req.write = false;
	req.kvm = true;
	text = command(&req, 0);
	assert_non_null(strstr(text, ",snapshot=on"));
	assert_non_null(strstr(text, "-accel kvm"));
	assert_null(strstr(text, "monitor,fd="));
	req.monitor = 7;
	req.status = 8;
	talk = command(&req, 0);
	assert_non_null(strstr(talk, "socket,id=monitor,fd=7"));
	assert_non_null(strstr(talk, "path=/proc/self/fd/8 -device isa-debugcon,iobase=0xe9"));
}

static void another_processor(void **state)
{
	struct emulator_request req = request();
	autofree char *text = NULL, *sata = NULL;

	(void)state;
	req.arm64 = true;
	req.monitor = 7;
	text = command(&req, 0);
	assert_non_null(strstr(text, "qemu-system-aarch64 -machine virt"));
	assert_null(strstr(text, "isa-debugcon"));
	req.bus = "sata";
	sata = command(&req, -EINVAL);
}

static void ports_and_shares(void **state)
{
	static const struct {
		const char *port, *share, *says;
		int r;
	} cases[] = { { "8080:80", NULL, "hostfwd=tcp:127.0.0.1:8080-:80", 0 },
		      { "8080", NULL, "", -EINVAL },
		      { "0:80", NULL, "", -EINVAL },
		      { "70000:80", NULL, "", -EINVAL },
		      { NULL, "%s:/data", "mount_tag=/data,", 0 },
		      { NULL, "%s:/data:ro", ",readonly=on", 0 },
		      { NULL, "%s", "mount_tag=/mnt/strake-unit-", 0 },
		      { NULL, "%s:data", "", -EINVAL },
		      { NULL, "%s:/data:rw", "", -EINVAL },
		      { NULL, "%s:/a-place-with-far-too-long-a-name", "", -EINVAL },
		      { NULL, "%s/none:/data", "", -ENOENT } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct emulator_request req = request();
		autofree char *text = NULL;

		if (cases[i].port)
			strv_add(&req.ports, cases[i].port);
		if (cases[i].share)
			strv_addf(&req.shares, cases[i].share, (const char *)*state);
		text = command(&req, cases[i].r);
		assert_non_null(strstr(text, cases[i].says));
		strv_done(&req.ports);
		strv_done(&req.shares);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_and_their_ways),
		cmocka_unit_test(a_name_is_no_protocol),
		cmocka_unit_test(what_is_kept_and_with_what_it_runs),
		cmocka_unit_test(another_processor),
		cmocka_unit_test_setup_teardown(ports_and_shares, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

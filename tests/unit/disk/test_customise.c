/* tests/unit/disk/test_customise.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "disk/customise.h"
#include "disk/source.h"

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

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@home\n"

static int go(struct disk_source *s, const struct customisation *c, struct error *err)
{
	const struct customise_request req = { .what = c, .now_s = 86400 };

	return customise(s, &req, err);
}

static void without_a_wish_nothing_but_a_console(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "::sysinit:/sbin/openrc sysinit\n#ttyS0::respawn:x\n",
		  "::sysinit:/sbin/openrc sysinit\n#ttyS0::respawn:x\nttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100\n" },
		{ "id:2:initdefault:",
		  "id:2:initdefault:\nS0:2345:respawn:/sbin/getty -L 115200 ttyS0 vt100\n" },
		{ "ttyS0::respawn:mine\n", "ttyS0::respawn:mine\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
		const struct customisation c = { .hostname = NULL };
		size_t n;

		put(&s, "etc/inittab", cases[i].before);
		put(&s, "lib/systemd/systemd-networkd", "");
		n = s.tree->n;
		assert_int_equal(go(&s, &c, NULL), 0);
		assert_string_equal(text_of(&s, "etc/inittab"), cases[i].after);
		assert_int_equal(s.tree->n, n);
	}
}

static void name_zone_and_seed(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	autofree char *seed = xasprintf("%s/user-data", (const char *)*state);
	const struct customisation c = { .hostname = "box",
					 .timezone = "Europe/Berlin",
					 .cloud_init = seed };

	scratch_put(*state, "user-data", "#cloud-config\n");
	put(&s, "etc/hosts", "127.0.0.1 localhost");
	put(&s, "etc/timezone", "Etc/UTC\n");
	put(&s, "usr/share/zoneinfo/Europe/Berlin", "");
	put(&s, "usr/bin/cloud-init", "");
	assert_int_equal(go(&s, &c, NULL), 0);
	assert_string_equal(text_of(&s, "etc/hostname"), "box\n");
	assert_string_equal(text_of(&s, "etc/hosts"), "127.0.0.1 localhost\n127.0.1.1\tbox\n");
	assert_string_equal(text_of(&s, "etc/timezone"), "Europe/Berlin\n");
	assert_string_equal(dir_find(filetree_resolve(s.tree, "etc", NULL), "localtime")->target,
			    "/usr/share/zoneinfo/Europe/Berlin");
	assert_string_equal(text_of(&s, "var/lib/cloud/seed/nocloud/user-data"), "#cloud-config\n");
	assert_string_equal(text_of(&s, "var/lib/cloud/seed/nocloud/meta-data"),
			    "instance-id: strake-86400\nlocal-hostname: box\n");
}

static void a_key_starts_the_server_and_the_network(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct customisation c = { .hostname = NULL };
	const struct file *wants;

	scratch_put(*state, "key", KEY);
	strv_add(&c.users, "ann:1005");
	strv_addf(&c.keys, "%s/key", (const char *)*state);
	put(&s, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	assert_int_equal(go(&s, &c, NULL), -ENOENT); /* no server */
	put(&s, "usr/sbin/sshd", "");
	put(&s, "lib/systemd/systemd-networkd", "");
	put(&s, "lib/systemd/system/ssh.service", "");
	assert_int_equal(go(&s, &c, NULL), 0);
	assert_string_equal(text_of(&s, "home/ann/.ssh/authorized_keys"), KEY);
	assert_non_null(filetree_resolve(s.tree, "etc/systemd/network/10-wired.network", NULL));
	wants = filetree_resolve(s.tree, "etc/systemd/system/multi-user.target.wants", NULL);
	assert_non_null(dir_find(wants, "ssh.service"));
	strv_done(&c.users);
	strv_done(&c.keys);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *hostname, *timezone, *cloud_init, *key;
		const char *says;
	} cases[] = {
		{ .hostname = "a b", .says = "--hostname" },
		{ .hostname = "-a", .says = "--hostname" },
		{ .timezone = "Nowhere/Land", .says = "tzdata" },
		{ .timezone = "../../../etc/passwd", .says = "tzdata" },
		{ .cloud_init = "/", .says = "no cloud-init" },
		{ .key = "-----BEGIN OPENSSH PRIVATE KEY-----\n", .says = "private key" },
		{ .key = "not a key\n", .says = "no key" },
		{ .key = "# nothing\n", .says = "no key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
		struct customisation c = { .hostname = cases[i].hostname,
					   .timezone = cases[i].timezone,
					   .cloud_init = cases[i].cloud_init };
		struct error err = { 0 };

		put(&s, "usr/sbin/sshd", "");
		put(&s, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
		if (cases[i].key) {
			scratch_put(*state, "key", cases[i].key);
			strv_addf(&c.keys, "root=%s/key", (const char *)*state);
		}
		assert_true(go(&s, &c, &err) < 0);
		assert_non_null(strstr(err.text, cases[i].says));
		strv_done(&c.keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_wish_nothing_but_a_console),
		cmocka_unit_test_setup_teardown(name_zone_and_seed, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_key_starts_the_server_and_the_network,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_refused, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

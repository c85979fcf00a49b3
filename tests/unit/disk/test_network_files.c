/* tests/unit/disk/test_network_files.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/network_files.h"
#include "disk/network_plan.h"
#include "disk/place.h"
#include "disk/source.h"

#define DHCP   "dhcp"
#define STATIC "192.0.2.5/24,2001:db8::5/64,gateway=192.0.2.1,dns=192.0.2.53"

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

/* What a distribution has, and which file says what in the end. */
static const struct {
	const char *has[4];
	const char *plan, *path, *text;
	mode_t mode;
} cases[] = {
	{ { "lib/systemd/systemd-networkd" },
	  DHCP,
	  "etc/systemd/network/10-wired.network",
	  "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n",
	  0644 },
	{ { "lib/systemd/systemd-networkd" },
	  STATIC ",interface=eth1",
	  "etc/systemd/network/10-wired.network",
	  "[Match]\nName=eth1\n\n[Network]\nAddress=192.0.2.5/24\nAddress=2001:db8::5/64\nGateway=192.0.2.1\nDNS=192.0.2.53\n",
	  0644 },
	{ { "lib/systemd/systemd-networkd", "usr/sbin/netplan" },
	  DHCP,
	  "etc/netplan/50-wired.yaml",
	  "network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    wired:\n      match:\n        name: \"e*\"\n"
	  "      dhcp4: true\n      dhcp6: true\n",
	  0600 },
	{ { "usr/sbin/NetworkManager", "usr/sbin/netplan" },
	  STATIC,
	  "etc/netplan/50-wired.yaml",
	  "network:\n  version: 2\n  renderer: NetworkManager\n  ethernets:\n    wired:\n      match:\n        name: \"e*\"\n"
	  "      addresses:\n        - \"192.0.2.5/24\"\n        - \"2001:db8::5/64\"\n"
	  "      routes:\n        - to: default\n          via: \"192.0.2.1\"\n"
	  "      nameservers:\n        addresses:\n          - \"192.0.2.53\"\n",
	  0600 },
	{ { "usr/sbin/NetworkManager" },
	  DHCP,
	  "etc/NetworkManager/system-connections/wired.nmconnection",
	  "[connection]\nid=wired\ntype=ethernet\n\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n",
	  0600 },
	{ { "usr/sbin/NetworkManager" },
	  STATIC,
	  "etc/NetworkManager/system-connections/wired.nmconnection",
	  "[connection]\nid=wired\ntype=ethernet\n\n[ipv4]\naddress1=192.0.2.5/24\ngateway=192.0.2.1\ndns=192.0.2.53;\nmethod=manual\n\n"
	  "[ipv6]\naddress1=2001:db8::5/64\n\nmethod=manual\n",
	  0600 },
	{ { "sbin/ifup", "sbin/dhclient", "lib/systemd/systemd-networkd" },
	  DHCP,
	  "etc/network/interfaces",
	  "auto lo\niface lo inet loopback\n\nauto /e[nt]*/1=wired\niface wired inet dhcp\n",
	  0644 },
	{ { "sbin/ifup", "lib/systemd/systemd-networkd" },
	  DHCP,
	  "etc/systemd/network/10-wired.network",
	  "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n",
	  0644 },
	{ { "sbin/ifup", "lib/systemd/systemd-networkd" },
	  STATIC,
	  "etc/network/interfaces",
	  "auto lo\niface lo inet loopback\n\nauto /e[nt]*/1=wired\niface wired inet static\n\taddress 192.0.2.5/24\n"
	  "\tgateway 192.0.2.1\n\tdns-nameservers 192.0.2.53\niface wired inet6 static\n\taddress 2001:db8::5/64\n",
	  0644 },
	{ { "sbin/openrc", "etc/init.d/networking" },
	  DHCP,
	  "etc/network/interfaces",
	  "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n",
	  0644 },
};

static void the_files_of_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
		struct placing p = { .source = &s, .mtime = when };
		struct network_plan plan;

		for (size_t k = 0; cases[i].has[k]; k++)
			put(&s, cases[i].has[k], "");
		assert_int_equal(network_plan_parse(cases[i].plan, &plan, NULL), 0);
		assert_false(network_is_configured(s.tree));
		assert_int_equal(network_files_put(&p, &plan, NULL), 0);
		assert_string_equal(text_of(&s, cases[i].path), cases[i].text);
		assert_int_equal(filetree_resolve(s.tree, cases[i].path, NULL)->mode,
				 S_IFREG | cases[i].mode);
		assert_true(network_is_configured(s.tree));
	}
}

static void networkd_is_enabled_and_servers_are_named(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct placing p = { .source = &s, .mtime = when };
	struct network_plan plan;
	const struct file *wants;

	(void)state;
	put(&s, "lib/systemd/systemd-networkd", "");
	put(&s, "lib/systemd/system/systemd-networkd.service", "");
	assert_int_equal(network_plan_parse(STATIC, &plan, NULL), 0);
	assert_int_equal(network_files_put(&p, &plan, NULL), 0);
	wants = filetree_resolve(s.tree, "etc/systemd/system/multi-user.target.wants", NULL);
	assert_non_null(wants);
	assert_string_equal(dir_find(wants, "systemd-networkd.service")->target,
			    "/lib/systemd/system/systemd-networkd.service");
	assert_string_equal(text_of(&s, "etc/resolv.conf"), "nameserver 192.0.2.53\n");
	put(&s, "lib/systemd/systemd-resolved", "");
	assert_int_equal(network_files_put(&p, &plan, NULL), 0);
	assert_string_equal(dir_find(filetree_resolve(s.tree, "etc", NULL), "resolv.conf")->target,
			    "../run/systemd/resolve/stub-resolv.conf");
}

static void nothing_that_can(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new() };
	struct placing p = { .source = &s, .mtime = when };
	struct network_plan plan = { .way = NETWORK_DHCP };

	(void)state;
	assert_int_equal(network_files_put(&p, &plan, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_each),
		cmocka_unit_test(networkd_is_enabled_and_servers_are_named),
		cmocka_unit_test(nothing_that_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

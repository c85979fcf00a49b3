/* tests/unit/network/test_names_edit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../scratch.h"
#include "network/attach.h"
#include "network/names_edit.h"

/* A lease in one network with names (address and gateway), or in none. */
static void lease_init(struct network_lease *lease, struct endpoint *e, const char *address,
		       const char *gateway)
{
	*lease = (struct network_lease) { .endpoints = e, .nendpoints = address ? 1 : 0 };
	*e = (struct endpoint) { .link = "" };
	e->network.driver = NETWORK_BRIDGE;
	e->network.managed = true;
	if (!address)
		return;
	assert_int_equal(ip_parse(address, &e->ip.ip), 0);
	assert_int_equal(ip_parse(gateway, &e->gateway), 0);
}

struct place {
	const char *address, *gateway;
};

static int edit(const char *dir, const struct place *from, const struct place *to)
{
	struct network_lease before, after;
	struct endpoint old, new;
	const struct names_change change = {
		.dir = dir, .name = "web", .before = &before, .after = &after
	};

	lease_init(&before, &old, from->address, from->gateway);
	lease_init(&after, &new, to->address, to->gateway);
	return names_edit(&change, NULL);
}

#define ONE                                                                                        \
	{                                                                                          \
		"10.1.0.2", "10.1.0.1"                                                             \
	}
#define TWO                                                                                        \
	{                                                                                          \
		"10.2.0.2", "10.2.0.1"                                                             \
	}

/* What the user or the container wrote stays, byte by byte. */
static void only_what_follows_from_addresses_changes(void **state)
{
	static const struct {
		struct place from, to;
		const char *hosts, *resolver; /* before */
		const char *hosts_then, *resolver_then;
	} cases[] = {
		{ ONE, TWO, "127.0.0.1\tlocalhost\n10.1.0.2\tbox web\n", "nameserver 10.1.0.1\n",
		  "127.0.0.1\tlocalhost\n10.2.0.2\tbox web\n",
		  "nameserver 10.2.0.1\noptions ndots:0\n" },
		{ ONE, TWO, "10.1.0.2\tbox web\n10.1.0.2 other\n192.0.2.7 box\n# 10.1.0.2\tbox\n",
		  "search a.example\nnameserver 10.1.0.1\nnameserver 192.0.2.53\noptions ndots:2\n",
		  "10.1.0.2 other\n192.0.2.7 box\n# 10.1.0.2\tbox\n10.2.0.2\tbox web\n",
		  "nameserver 10.2.0.1\nsearch a.example\nnameserver 192.0.2.53\noptions ndots:2\n" },
		{ ONE, ONE, "no end of line", "mine alone", "no end of line\n10.1.0.2\tbox web\n",
		  "mine alone" },
		/* The first place with names: other servers would be asked only after silence. */
		{ { NULL, NULL },
		  ONE,
		  "",
		  "nameserver 192.0.2.53\nsearch b.example\n",
		  "10.1.0.2\tbox web\n",
		  "nameserver 10.1.0.1\nsearch b.example\noptions ndots:0\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *hosts = NULL, *resolver = NULL;

		scratch_put(*state, "hostname", "box\n");
		scratch_put(*state, "hosts", cases[i].hosts);
		scratch_put(*state, "resolv.conf", cases[i].resolver);
		assert_int_equal(edit(*state, &cases[i].from, &cases[i].to), 0);
		hosts = scratch_get(*state, "hosts");
		resolver = scratch_get(*state, "resolv.conf");
		assert_string_equal(hosts, cases[i].hosts_then);
		assert_string_equal(resolver, cases[i].resolver_then);
	}
}

/* They are mounted into the container one by one: another file would not be seen in there. */
static void the_files_stay_the_same_files(void **state)
{
	static const struct place one = ONE, two = TWO;
	autofree char *path = xasprintf("%s/hosts", (const char *)*state), *line = NULL;
	autoclose int before = -1;

	scratch_put(*state, "hostname", "box\n");
	scratch_put(*state, "resolv.conf", "");
	scratch_put(*state, "hosts", "10.1.0.2\tbox web\n\n\n\n\n\n");
	before = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(edit(*state, &one, &two), 0);
	assert_int_equal(file_read_fd(before, "hosts", 4096, &line, NULL, NULL), 0);
	assert_string_equal(line, "\n\n\n\n\n10.2.0.2\tbox web\n");
}

static void a_container_without_the_files_has_none_to_change(void **state)
{
	static const struct place one = ONE, two = TWO;
	autofree char *nowhere = xasprintf("%s/nowhere", (const char *)*state);

	assert_int_equal(edit(nowhere, &one, &two), 0);
	assert_int_equal(edit(*state, &one, &two), 0);
}

/* The container may put anything in their place. */
static void a_link_in_their_place_is_not_followed(void **state)
{
	static const struct place one = ONE, two = TWO;
	autofree char *target = xasprintf("%s/target", (const char *)*state), *text = NULL;
	autofree char *hosts = xasprintf("%s/hosts", (const char *)*state);

	scratch_put(*state, "hostname", "box\n");
	scratch_put(*state, "resolv.conf", "");
	scratch_put(*state, "target", "kept\n");
	(void)unlink(hosts);
	assert_int_equal(symlink(target, hosts), 0);
	assert_true(edit(*state, &one, &two) < 0);
	text = scratch_get(*state, "target");
	assert_string_equal(text, "kept\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_follows_from_addresses_changes,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_files_stay_the_same_files, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_container_without_the_files_has_none_to_change,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_link_in_their_place_is_not_followed,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("network/names_edit", tests, NULL, NULL);
}

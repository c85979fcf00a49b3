/* tests/unit/lab/test_topology.c - what a lab's file says, and what it may not say. */
#include "lab/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *text, struct topology **ret, struct error *err)
{
	return topology_parse(text, strlen(text), "lab.yaml", ret, err);
}

static void names_are_resolved_and_interfaces_numbered(void **state)
{
	static const char text[] =
		"nodes:\n"
		"  s1: {kind: switch}\n"
		"  r1: {kind: router, interfaces: {eth1: {addresses: [10.9.1.1/24]}}}\n"
		"hosts:\n"
		"  h[1-3]: {addresses: [10.9.0.1/24], gateway: 10.9.0.254}\n"
		"links:\n"
		"  - h[1-3] - s1\n"
		"  - {between: [r1:eth0, s1], delay: 1.5ms, loss: 0.5%, rate: 2mbit}\n"
		"checks:\n"
		"  - reach: [h1, h2]\n"
		"    port: 80\n";
	cleanup(topology_cleanup) struct topology *t = NULL;
	struct error err = { 0 };
	struct link_end end;
	char name[LINK_END_LEN], address[IP_NET_TEXT_LEN];
	size_t link;

	(void)state;
	assert_int_equal(parse(text, &t, &err), 0);
	assert_string_equal(t->name, "lab");
	assert_int_equal(t->n_nodes, 5);
	assert_int_equal(t->n_links, 4);
	ip_net_format(&t->nodes[4].interfaces[0].addresses[0], address);
	assert_string_equal(address, "10.9.0.3/24");
	assert_int_equal(t->nodes[4].n_routes, 1);
	link_end_format(t, &t->links[2].ends[1], name);
	assert_string_equal(name, "s1:eth2");
	assert_int_equal(t->links[3].impair.delay_us, 1500);
	assert_int_equal(t->links[3].impair.loss_ppm, 5000);
	assert_int_equal(t->links[3].impair.rate_bps, 2000000);
	assert_int_equal(topology_find_end(t, "h2", &end, &err), 0);
	assert_int_equal(topology_find_link(t, "s1", "r1", &link, &err), 0);
	assert_int_equal(link, 3);
	assert_int_equal(t->n_checks, 1);
	assert_string_equal(t->checks[0].kind, "reach");
}

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "lab.yaml is empty" },
		{ "nodes: {h1: {knid: host}}",
		  "lab.yaml:1:14: node h1 has no key 'knid'; did you mean 'kind'?" },
		{ "nodez: {h1: }",
		  "lab.yaml:1:1: a lab has no key 'nodez'; did you mean 'nodes'?" },
		{ "# \xc3\xa4\n%a\xcf", "lab.yaml:2:3: the byte 0xcf is no UTF-8" },
		{ "nodes: {h1: , h1: }",
		  "lab.yaml:1:15: 'h1' stands here twice; line 1 has it, too" },
		{ "nodes: {h1: }\nhosts: h1",
		  "lab.yaml:2:8: there is a node h1 already, in line 1" },
		{ "nodes: {h1: &a {}, h2: *a}",
		  "lab.yaml:1:14: anchors are not read; write it out" },
		{ "nodes: {h1: {addresses: [10.0.0.1]}}",
		  "lab.yaml:1:26: an address has its subnet's length, such as 10.9.0.1/24, not '10.0.0.1'" },
		{ "nodes: {h1: {stp: true}}",
		  "lab.yaml:1:19: 'stp' is for a switch; h1 is a host" },
		{ "nodes: {h1: {interfaces: {eth0.4095: }}}",
		  "lab.yaml:1:27: eth0.4095: VLAN ids are 1 to 4094; 802.1Q keeps 0 and 4095 for itself" },
		{ "nodes: {h1: , h2: }\nlinks: [h1 - h3]",
		  "lab.yaml:2:9: lab lab has no node 'h3'; did you mean 'h1'?" },
		{ "nodes: {h1: , h2: , h3: }\nlinks: [\"h1:eth0 - h2\", \"h1:eth0 - h3\"]",
		  "lab.yaml:2:26: h1:eth0 has a cable in it already, or is none to plug one into" },
		{ "nodes: {h1: , h2: }\nlinks: [{between: [h1, h2], delay: 5}]",
		  "lab.yaml:2:36: delay is a time such as 5ms or 200us, at most 60s, not '5'" },
		{ "nodes: {h1: {routes: [10.0.0.1/8 via 10.0.0.2]}}",
		  "lab.yaml:1:23: 10.0.0.1/8 has bits behind its length" },
		{ "nodes: {c1: {kind: container}}",
		  "lab.yaml:1:13: container c1 wants one of image, directory and bare" },
		{ "nodes: {h1: }\nchecks: [{raech: [h1]}]",
		  "lab.yaml:2:11: a check has no key 'raech'; did you mean 'reach'?" },
		{ "nodes: {h1: }\nchecks: [{because: ttl, no-reach: [h1, h1]}]",
		  "lab.yaml:2:11: a check has no key 'because'" },
		{ "nodes: {h1: , h2: }\nchecks: [{reach: [h1, h2], prot: 80}]",
		  "lab.yaml:2:28: reach has no key 'prot'; did you mean 'port'?" },
		{ "nodes: {h1: , h2: }\nchecks: [{reach: [h1, h3]}]",
		  "lab.yaml:2:23: lab lab has no node 'h3'; did you mean 'h1'?" },
		{ "nodes: {h1: }\nchecks: [{path: h1}]",
		  "lab.yaml:2:17: path takes two nodes or more" },
		{ "nodes: {h1: , h2: }\nchecks: [{reach: [h1, h2], port: 65536}]",
		  "lab.yaml:2:34: port is a number from 1 to 65535, not '65536'" },
		{ "nodes: {h1: , h2: }\nchecks: [{reach: [h1, h2], address: 10.0.0.256}]",
		  "lab.yaml:2:37: address is an address, not '10.0.0.256'" },
		{ "nodes: {h1: , h2: }\nchecks: [{no-reach: [h1, h2], because: no-rout}]",
		  "lab.yaml:2:40: because: there is no reason 'no-rout'; did you mean 'no-route'?" },
		{ "nodes: {h1: }\nchecks: [{same-domain: [h1]}]",
		  "lab.yaml:2:25: h1 has no interface with a link" },
		{ "nodes: {h1: }\nchecks: [{domains: {h1: }}]",
		  "lab.yaml:2:20: domains wants one word, not a map" },
		{ "nodes: {h1: , h2: }\nchecks: [{arp: [h1, h2]}]",
		  "lab.yaml:2:10: arp wants answered-by beside it" },
		{ "nodes: {h1: , h2: }\nchecks: [{mtu: [h1, 10.0.0.1]}]",
		  "lab.yaml:2:10: mtu wants 'is: BYTES' or 'at-least: BYTES'" },
		{ "nodes: {h1: , h2: }\nchecks: [{nat: [h1], source: x}]",
		  "lab.yaml:2:16: nat takes two nodes, such as [h1, h2]" },
		{ "nodes: {h1: , h2: }\nchecks: [{nat: [h1, h2], source: x}]",
		  "lab.yaml:2:34: source is an address, not 'x'" },
		{ "nodes: {s1: {kind: switch}}\nchecks: [{fdb: s1}]",
		  "lab.yaml:2:10: fdb wants 'learned: NUMBER' or 'knows: {h1: eth0}' beside it" },
		{ "nodes: {s1: {kind: switch}}\nchecks: [{fdb: s1, knows: {h1: eth0}}]",
		  "lab.yaml:2:28: lab lab has no node 'h1'; did you mean 's1'?" },
		{ "nodes: {h1: }\nchecks: [{resolve: [h1, \"\"]}]",
		  "lab.yaml:2:26: an empty name" },
		{ "nodes: {h1: {interfaces: {all: }}}",
		  "lab.yaml:1:27: 'all' is no name for an interface: at most 15 characters, no '/', ':', '%' or blank, and not 'all' or 'default'" },
		{ "nodes: {h1: {interfaces: {e%d: }}}",
		  "lab.yaml:1:27: 'e%d' is no name for an interface: at most 15 characters, no '/', ':', '%' or blank, and not 'all' or 'default'" },
		{ "nodes: {h1: {addresses: [224.0.0.1/4]}}",
		  "lab.yaml:1:26: 224.0.0.1/4 is no address that an interface can have" },
		{ "hosts: {'h[1-100]': {addresses: [10.0.0.200/24]}}",
		  "lab.yaml:1:34: counted from 10.0.0.200/24 on, the subnet ends after 55" },
		{ "nodes: {h1: {interfaces: {eth0: {mac: '00:00:00:00:00:00'}}}}",
		  "lab.yaml:1:40: mac is the address of one interface, such as 02:00:00:00:00:01, not '00:00:00:00:00:00'" },
		{ "name: a.lock\nnodes: {h1: }",
		  "lab.yaml:1:7: 'a.lock' is no name for a lab: letters, digits, '-', '_' and '.', at most 63" },
		{ "name: ../x\nnodes: {h1: }",
		  "lab.yaml:1:7: '../x' is no name for a lab: letters, digits, '-', '_' and '.', at most 63" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct topology *t = NULL;
		struct error err = { 0 };

		assert_true(parse(cases[i].text, &t, &err) < 0);
		assert_null(t);
		assert_string_equal(err.text, cases[i].said);
	}
}

static void what_is_nested_too_deep_is_refused(void **state)
{
	char text[200] = "nodes: ";
	struct topology *t = NULL;
	struct error err = { 0 };

	(void)state;
	memset(text + 7, '[', 100);
	memset(text + 107, ']', 90);
	assert_true(parse(text, &t, &err) < 0);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_resolved_and_interfaces_numbered),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(what_is_nested_too_deep_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

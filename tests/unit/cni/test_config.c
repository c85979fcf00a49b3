/* tests/unit/cni/test_config.c */
#include "cni/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define HEAD "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"type\": \"strake-cni\", "

static int parse(const char *text, struct cni_config *ret, struct cni_failure *f)
{
	*f = (struct cni_failure) { .code = CNI_OK };
	return cni_config_parse(text, strlen(text), ret, f);
}

static void what_is_wrong_has_a_code_and_a_place(void **state)
{
	static const struct {
		const char *text;
		enum cni_code code;
		const char *says;
	} cases[] = {
		{ "", CNI_DECODE, "not valid JSON" },
		{ "{", CNI_DECODE, "not valid JSON" },
		{ "[]", CNI_DECODE, "not an object" },
		{ "{}", CNI_VERSION, "cniVersion ''" },
		{ "{\"cniVersion\": \"0.2.0\", \"name\": \"n\"}", CNI_VERSION, "0.2.0" },
		{ "{\"cniVersion\": \"9.0.0\", \"name\": \"n\"}", CNI_VERSION, "9.0.0" },
		{ "{\"cniVersion\": \"1.0.0\"}", CNI_CONFIG, "name" },
		{ "{\"cniVersion\": \"1.0.0\", \"name\": \"../n\"}", CNI_CONFIG, "name" },
		{ "{\"cniVersion\": \"1.0.0\", \"name\": 7}", CNI_CONFIG, "name" },
		{ HEAD "\"vlan\": 7}", CNI_UNSUPPORTED, "vlan: 7" },
		{ HEAD "\"promiscMode\": true}", CNI_UNSUPPORTED, "promiscMode: true" },
		{ HEAD "\"isGateway\": false}", CNI_UNSUPPORTED, "isGateway: false" },
		{ HEAD "\"ipam\": {\"type\": \"dhcp\"}}", CNI_UNSUPPORTED, "ipam.type: \"dhcp\"" },
		{ HEAD "\"ipam\": {\"subnet\": \"10.1.0.0\"}}", CNI_CONFIG, "ipam.subnet" },
		{ HEAD "\"ipam\": {\"subnet\": \"10.1.0.0/32\"}}", CNI_CONFIG, "/32" },
		{ HEAD "\"ipam\": {\"subnet\": \"10.1.0.0/24\", \"gateway\": \"10.2.0.1\"}}",
		  CNI_CONFIG, "ipam.gateway" },
		{ HEAD "\"ipam\": {\"subnet\": \"10.1.0.0/24\", \"rangeStart\": \"10.1.0.9\","
		       " \"rangeEnd\": \"10.1.0.8\"}}",
		  CNI_CONFIG, "rangeEnd" },
		{ HEAD "\"ipam\": {\"ranges\": [[{\"subnet\": \"10.1.0.0/24\"}],"
		       " [{\"subnet\": \"10.2.0.0/24\"}]]}}",
		  CNI_CONFIG, "ranges[1]" },
		{ HEAD "\"ipam\": {\"routes\": [{\"dst\": \"10.9.0.0/16\"}]}}", CNI_CONFIG,
		  "routes[0].gw" },
		{ HEAD "\"ipam\": {\"subnet\": \"10.1.0.0/24\","
		       " \"routes\": [{\"dst\": \"10.9.0.0/16\", \"table\": 7}]}}",
		  CNI_UNSUPPORTED, "table: 7" },
		{ HEAD "\"mtu\": 70000}", CNI_CONFIG, "mtu" },
		{ HEAD "\"bridge\": \"a/b\"}", CNI_CONFIG, "bridge" },
		{ HEAD "\"driver\": \"macvlan\"}", CNI_CONFIG, "master" },
		{ HEAD "\"isolation\": \"some\"}", CNI_CONFIG, "isolation" },
		{ HEAD "\"root\": \"relative\"}", CNI_CONFIG, "root" },
		{ HEAD "\"runtimeConfig\": {\"mac\": \"01:00:00:00:00:00\"}}", CNI_CONFIG,
		  "runtimeConfig.mac" },
		{ HEAD "\"runtimeConfig\": {\"ips\": [\"10.1.1\"]}}", CNI_CONFIG, "ips" },
		{ HEAD "\"runtimeConfig\": {\"portMappings\": [{\"hostPort\": 80}]}}", CNI_CONFIG,
		  "portMappings[0].containerPort" },
		{ HEAD "\"runtimeConfig\": {\"portMappings\": [{\"hostPort\": 0,"
		       " \"containerPort\": 80}]}}",
		  CNI_CONFIG, "hostPort" },
		{ HEAD "\"runtimeConfig\": {\"portMappings\": [{\"hostPort\": 80,"
		       " \"containerPort\": 80, \"protocol\": \"icmp\"}]}}",
		  CNI_CONFIG, "protocol" },
		{ HEAD "\"cni.dev/valid-attachments\": [{\"containerID\": \"a\"}]}", CNI_CONFIG,
		  "ifname" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_config c = { .name = NULL };
		struct cni_failure f;

		assert_true(parse(cases[i].text, &c, &f) < 0);
		assert_int_equal(f.code, cases[i].code);
		if (!strstr(f.err.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", f.err.text, cases[i].says);
	}
}

static void too_large_is_refused_before_it_is_parsed(void **state)
{
	char *text = xcalloc(CNI_CONFIG_MAX + 2, 1);
	struct cni_config c = { .name = NULL };
	struct cni_failure f;

	(void)state;
	memset(text, ' ', CNI_CONFIG_MAX + 1);
	assert_true(parse(text, &c, &f) < 0);
	assert_int_equal(f.code, CNI_DECODE);
	free(text);
}

static void assert_ip(const struct ip *ip, const char *want)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	assert_string_equal(text, want);
}

static void host_locals_keys_make_subnets_and_ranges(void **state)
{
	struct cni_config c = { .name = NULL };
	struct cni_failure f;

	(void)state;
	assert_int_equal(
		parse(HEAD "\"ipam\": {\"type\": \"host-local\", \"ranges\": [[{\"subnet\":"
			   " \"10.1.0.77/24\", \"rangeStart\": \"10.1.0.10\", \"rangeEnd\":"
			   " \"10.1.0.20\", \"gateway\": \"10.1.0.254\"}], [{\"subnet\":"
			   " \"fd00:7::/64\"}]], \"routes\": [{\"dst\": \"0.0.0.0/0\"},"
			   " {\"dst\": \"10.9.0.0/16\", \"gw\": \"10.1.0.5\", \"priority\": 7}]}}",
		      &c, &f),
		0);
	assert_int_equal(c.network.nsubnets, 2);
	assert_ip(&c.network.subnets[0].net.ip, "10.1.0.0");
	assert_ip(&c.network.subnets[0].first, "10.1.0.10");
	assert_ip(&c.network.subnets[0].last, "10.1.0.20");
	assert_ip(&c.network.subnets[0].gateway, "10.1.0.254");
	assert_ip(&c.network.subnets[1].gateway, "fd00:7::1");
	assert_ip(&c.network.subnets[1].last, "fd00:7::ffff:ffff:ffff:ffff");
	assert_int_equal(c.network.nroutes, 1); /* the default one comes with the gateway */
	assert_ip(&c.network.routes[0].via, "10.1.0.5");
	assert_int_equal(c.network.routes[0].metric, 7);
	assert_true(c.own);
	assert_string_equal(c.network.name, "n");
	cni_config_done(&c);

	assert_int_equal(parse(HEAD "\"ipam\": {\"subnet\": \"10.3.0.0/30\"}}", &c, &f), 0);
	assert_ip(&c.network.subnets[0].first, "10.3.0.1");
	assert_ip(&c.network.subnets[0].last, "10.3.0.2");
	cni_config_done(&c);

	assert_int_equal(parse(HEAD "\"ipam\": {\"type\": \"static\", \"addresses\": [{\"address\":"
				    " \"10.1.0.7/24\", \"gateway\": \"10.1.0.1\"}]}}",
			       &c, &f),
			 0);
	assert_ip(&c.ip, "10.1.0.7");
	assert_ip(&c.network.subnets[0].gateway, "10.1.0.1");
	cni_config_done(&c);
}

static void capabilities_are_of_one_attachment(void **state)
{
	struct cni_config c = { .name = NULL };
	struct cni_failure f;

	(void)state;
	assert_int_equal(
		parse(HEAD
		      "\"args\": {\"cni\": {\"ips\": [\"10.1.0.8\"]}}, \"runtimeConfig\": {"
		      "\"ips\": [\"10.1.0.9/24\", \"fd00::9\"], \"mac\": \"02:00:00:00:00:07\","
		      "\"bandwidth\": {\"ingressRate\": 1000, \"egressRate\": 2000,"
		      " \"ingressBurst\": 9, \"egressBurst\": 9},"
		      "\"aliases\": {\"n\": [\"web\"], \"m\": [\"other\"]},"
		      "\"portMappings\": ["
		      "{\"hostPort\": 8080, \"containerPort\": 80},"
		      "{\"hostPort\": 53, \"containerPort\": 53, \"protocol\": \"UDP\","
		      " \"hostIP\": \"::1\"},"
		      "{\"hostPort\": 7000, \"containerPort\": 7000, \"hostIP\": \"192.0.2.1\"},"
		      "{\"hostPort\": 7001, \"containerPort\": 7001, \"hostIP\": \"192.0.2.1\"},"
		      "{\"hostPort\": 7002, \"containerPort\": 7002, \"hostIP\": \"192.0.2.1\"}]}}",
		      &c, &f),
		0);
	assert_ip(&c.ip, "10.1.0.9");
	assert_ip(&c.ip6, "fd00::9");
	assert_true(c.has_mac);
	assert_int_equal(c.mac[5], 7);
	assert_int_equal(c.rate_down, 1000);
	assert_int_equal(c.rate_up, 2000);
	assert_int_equal(c.aliases.n, 1);
	assert_int_equal(c.publish.n, 3);
	assert_string_equal(c.publish.items[0], "8080:80/tcp");
	assert_string_equal(c.publish.items[1], "[::1]:53:53/udp");
	assert_string_equal(c.publish.items[2], "192.0.2.1:7000-7002:7000-7002/tcp");
	cni_config_done(&c);
}

static void a_network_of_strakes_is_only_named(void **state)
{
	struct cni_config c = { .name = NULL };
	struct cni_failure f;

	(void)state;
	assert_int_equal(parse(HEAD "\"network\": \"front\"}", &c, &f), 0);
	assert_false(c.own);
	assert_string_equal(c.name, "n");
	assert_string_equal(c.network.name, "front");
	cni_config_done(&c);
}

static void the_list_of_gc_has_two_names(void **state)
{
	static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		autofree char *text = xasprintf(
			HEAD "\"%s\": [{\"containerID\": \"a\", \"ifname\": \"eth0\"}]}", keys[i]);
		struct cni_config c = { .name = NULL };
		struct cni_failure f;

		assert_int_equal(parse(text, &c, &f), 0);
		assert_true(c.has_valid);
		assert_string_equal(c.valid.items[0], "a/eth0");
		cni_config_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_has_a_code_and_a_place),
		cmocka_unit_test(too_large_is_refused_before_it_is_parsed),
		cmocka_unit_test(host_locals_keys_make_subnets_and_ranges),
		cmocka_unit_test(capabilities_are_of_one_attachment),
		cmocka_unit_test(a_network_of_strakes_is_only_named),
		cmocka_unit_test(the_list_of_gc_has_two_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

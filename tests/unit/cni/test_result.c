/* tests/unit/cni/test_result.c */
#include "cni/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cni_result sample(void)
{
	struct cni_result r = { .nlinks = 2 };

	r.links[0] = (struct cni_result_link) { "br", "02:00:00:00:00:01", NULL, 1400 };
	r.links[1] = (struct cni_result_link) { "eth0", "02:00:00:00:00:02", "/n", 1400 };
	assert_int_equal(ip_net_parse("10.1.0.2/24", &r.ip), 0);
	assert_int_equal(ip_net_parse("fd00::2/64", &r.ip6), 0);
	assert_int_equal(ip_parse("10.1.0.1", &r.gateway), 0);
	return r;
}

static void assert_same(json_t *have, const char *want)
{
	json_t *doc = json_loads(want, 0, NULL);

	assert_non_null(doc);
	if (!json_equal(have, doc))
		fail_msg("have: %s", json_dumps(have, JSON_COMPACT));
	json_decref(doc);
	json_decref(have);
}

static void each_version_has_its_form(void **state)
{
	struct cni_config c = { .version = CNI_0_3_1, .dns = json_object() };
	const struct cni_result r = sample();

	(void)state;
	assert_same(cni_result_format(&r, &c),
		    "{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"br\",\"mac\":"
		    "\"02:00:00:00:00:01\"},{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:02\","
		    "\"sandbox\":\"/n\"}],\"ips\":[{\"version\":\"4\",\"address\":\"10.1.0.2/24\","
		    "\"interface\":1,\"gateway\":\"10.1.0.1\"},{\"version\":\"6\",\"address\":"
		    "\"fd00::2/64\",\"interface\":1}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":"
		    "\"10.1.0.1\"}],\"dns\":{}}");
	c.version = CNI_1_1_0;
	assert_same(cni_result_format(&r, &c),
		    "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br\",\"mac\":"
		    "\"02:00:00:00:00:01\",\"mtu\":1400},{\"name\":\"eth0\",\"mac\":"
		    "\"02:00:00:00:00:02\",\"sandbox\":\"/n\",\"mtu\":1400}],\"ips\":[{\"address\":"
		    "\"10.1.0.2/24\",\"interface\":1,\"gateway\":\"10.1.0.1\"},{\"address\":"
		    "\"fd00::2/64\",\"interface\":1}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":"
		    "\"10.1.0.1\"}],\"dns\":{}}");
	json_decref(c.dns);
}

static void what_came_before_stays_in_front(void **state)
{
	struct cni_config c = { .version = CNI_1_0_0, .dns = json_object() };
	struct cni_result r = sample();
	json_t *doc;

	(void)state;
	r.no_default = true;
	c.previous = json_loads("{\"interfaces\":[{\"name\":\"old\"}],\"ips\":[{\"address\":"
				"\"10.9.0.2/24\",\"interface\":0}],\"dns\":{\"domain\":\"d\"}}",
				0, NULL);
	doc = cni_result_format(&r, &c);
	assert_int_equal(json_array_size(json_object_get(doc, "interfaces")), 3);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(doc, "interfaces"), 0), "name")),
			    "old");
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(doc, "ips"), 1), "interface")),
			 2);
	assert_int_equal(json_array_size(json_object_get(doc, "routes")), 0);
	assert_non_null(json_object_get(json_object_get(doc, "dns"), "domain"));
	json_decref(doc);
	json_decref(c.previous);
	json_decref(c.dns);
}

static void a_failure_is_an_object_with_code_and_text(void **state)
{
	struct cni_failure f = { .code = CNI_AGAIN };

	(void)state;
	(void)error_set(&f.err, -EBUSY, "later \"please\"");
	assert_same(cni_result_failure(CNI_0_4_0, &f),
		    "{\"cniVersion\":\"0.4.0\",\"code\":11,\"msg\":\"later \\\"please\\\"\"}");
	assert_same(cni_result_versions(CNI_1_0_0),
		    "{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\","
		    "\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_has_its_form),
		cmocka_unit_test(what_came_before_stays_in_front),
		cmocka_unit_test(a_failure_is_an_object_with_code_and_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

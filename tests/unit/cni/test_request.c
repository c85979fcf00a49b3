/* tests/unit/cni/test_request.c */
#include "cni/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Five variables of one call; NULL is unset. */
struct variables {
	const char *command, *container, *netns, *ifname, *args;
};

static struct variables now; /* what get() reads */

static const char *get(const char *name)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{ "CNI_COMMAND", now.command }, { "CNI_CONTAINERID", now.container },
		{ "CNI_NETNS", now.netns },     { "CNI_IFNAME", now.ifname },
		{ "CNI_ARGS", now.args },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].value;
	return NULL;
}

static void what_is_missing_or_wrong_is_code_4(void **state)
{
	static const struct variables cases[] = {
		{ NULL, "c", "/n", "eth0", NULL },
		{ "add", "c", "/n", "eth0", NULL },
		{ "ADD", NULL, "/n", "eth0", NULL },
		{ "ADD", "", "/n", "eth0", NULL },
		{ "ADD", "../c", "/n", "eth0", NULL },
		{ "ADD", "-c", "/n", "eth0", NULL },
		{ "ADD", "c", NULL, "eth0", NULL },
		{ "ADD", "c", "", "eth0", NULL },
		{ "ADD", "c", "/n", NULL, NULL },
		{ "ADD", "c", "/n", "a b", NULL },
		{ "ADD", "c", "/n", "a/b", NULL },
		{ "ADD", "c", "/n", "a:b", NULL },
		{ "ADD", "c", "/n", "..", NULL },
		{ "ADD", "c", "/n", "sixteen-letters-", NULL },
		{ "ADD", "c", "/n", "eth0", "IP" },
		{ "ADD", "c", "/n", "eth0", "IP=10.0.0" },
		{ "ADD", "c", "/n", "eth0", "MAC=01:00:00:00:00:01" },
		{ "CHECK", "c", NULL, "eth0", NULL },
		{ "DEL", NULL, NULL, "eth0", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_failure f = { .code = CNI_OK };
		struct cni_request q;

		now = cases[i];
		assert_int_equal(cni_request_read(get, &q, &f), -EINVAL);
		assert_int_equal(f.code, CNI_ENVIRONMENT);
	}
}

static void what_is_right_is_read(void **state)
{
	struct cni_failure f = { .code = CNI_OK };
	struct cni_request q;
	char ip[IP_TEXT_LEN];

	(void)state;
	now = (struct variables) { "ADD", "c0ffee", "/run/netns/a", "eth0",
				   "IgnoreUnknown=1;IP=10.0.0.7/24;MAC=02:00:00:00:00:09;"
				   "K8S_POD_NAME=web-0" };
	assert_int_equal(cni_request_read(get, &q, &f), 0);
	assert_int_equal(q.command, CNI_ADD);
	assert_string_equal(q.container, "c0ffee");
	assert_string_equal(q.ifname, "eth0");
	ip_format(&q.ip, ip);
	assert_string_equal(ip, "10.0.0.7");
	assert_true(q.has_mac);
	assert_string_equal(q.pod, "web-0");

	now = (struct variables) { "DEL", "c", NULL, "eth0", NULL };
	assert_int_equal(cni_request_read(get, &q, &f), 0);
	assert_null(q.netns);

	now = (struct variables) { "GC", NULL, NULL, NULL, NULL };
	assert_int_equal(cni_request_read(get, &q, &f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_or_wrong_is_code_4),
		cmocka_unit_test(what_is_right_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

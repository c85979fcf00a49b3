/* What stands in /etc of nodes: hosts and resolv.conf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lab/names.h"

static const char file[] =
	"nodes:\n"
	"  ns: {addresses: [10.0.0.53/24], dns: {WWW.example.net: [10.0.0.8, fd00::8]}}\n"
	"  h1: {addresses: [10.0.0.1/24], resolver: [10.0.0.53, fd00::53]}\n"
	"  h2: {addresses: [10.0.0.2/24]}\n";

static char *hosts_of(const struct topology *t, const char *node)
{
	struct buf text = BUF_INIT(NAMES_MAX);

	lab_names_put_hosts(t, node ? &t->nodes[topology_find_node(t, node)] : NULL, &text);
	return buf_steal(&text);
}

static void each_node_has_the_names_of_its_part(void **state)
{
	struct topology *t = NULL;
	struct error err = { 0 };
	struct buf text = BUF_INIT(NAMES_MAX);
	char *all, *server, *client;

	(void)state;
	assert_int_equal(topology_parse(file, strlen(file), "x.yaml", &t, &err), 0);
	all = hosts_of(t, NULL);
	server = hosts_of(t, "ns");
	client = hosts_of(t, "h1");
	assert_non_null(strstr(all, "10.0.0.1 h1\n"));
	assert_null(strstr(all, "example"));
	assert_non_null(strstr(server, "10.0.0.2 h2\n"));
	assert_non_null(strstr(server, "10.0.0.8 www.example.net\nfd00::8 www.example.net\n"));
	assert_non_null(strstr(client, "10.0.0.1 h1\n"));
	assert_null(strstr(client, "h2"));
	lab_names_put_resolv(&t->nodes[topology_find_node(t, "h1")], &text);
	assert_non_null(strstr(buf_text(&text), "nameserver 10.0.0.53\nnameserver fd00::53\n"));
	free(all);
	free(server);
	free(client);
	buf_done(&text);
	topology_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_node_has_the_names_of_its_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

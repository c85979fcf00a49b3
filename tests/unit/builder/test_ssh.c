#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "builder/ssh.h"

#include "../scratch.h"

static void specs(void **state)
{
	static const struct {
		const char *text, *id, *first;
		size_t n;
	} cases[] = {
		{ "default", "default", NULL, 0 }, { "a=/x", "a", "/x", 1 },
		{ "a=/x,/y,", "a", "/x", 2 },      { "a=", "a", NULL, 0 },
		{ "=x", NULL, NULL, 0 },           { "", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *id = NULL;
		struct strv paths = { 0 };
		int r = ssh_spec_parse(cases[i].text, &id, &paths, NULL);

		assert_int_equal(r, cases[i].id ? 0 : -EINVAL);
		assert_int_equal(paths.n, cases[i].n);
		if (cases[i].id)
			assert_string_equal(id, cases[i].id);
		if (cases[i].first)
			assert_string_equal(paths.items[0], cases[i].first);
		strv_done(&paths);
	}
}

static void only_keys_and_signatures_may_be_asked_for(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++)
		assert_int_equal(ssh_may_ask((unsigned char)type), type == 11 || type == 13);
}

static void what_was_not_given_is_not_there(void **state)
{
	struct strv given = { 0 };
	struct ssh ssh = SSH_INIT;
	struct error err = { 0 };

	assert_int_equal(ssh_open(NULL, "default", -1, &ssh, &err), 1);
	strv_add(&given, "other");
	assert_int_equal(ssh_open(&given, "default", -1, &ssh, &err), 1);
	strv_addf(&given, "default=%s", (char *)*state);
	assert_int_equal(ssh_open(&given, "default", -1, &ssh, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is neither a key nor an agent's socket"));
	strv_add(&given, "gone=/nonexistent/x");
	assert_int_equal(ssh_open(&given, "gone", -1, &ssh, &err), -ENOENT);
	assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
	assert_int_equal(ssh_open(&given, "other", -1, &ssh, &err), -ENOENT);
	assert_non_null(strstr(err.text, "SSH_AUTH_SOCK is not set"));
	strv_done(&given);
}

static int listener(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(sock, 1), 0);
	return sock;
}

static int caller(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	return sock;
}

/* An agent of the test's own sees the question for keys, and nothing of the one to forget them. */
static void the_relay_passes_on_what_may_be_asked(void **state)
{
	static const unsigned char forget[] = { 0, 0, 0, 1, 19 }, keys[] = { 0, 0, 0, 1, 11 };
	static const unsigned char answer[] = { 0, 0, 0, 5, 12, 0, 0, 0, 0 };
	autofree char *agent_path = xasprintf("%s/agent", (char *)*state);
	autofree char *relay_path = xasprintf("%s/relay", (char *)*state);
	autoclose int agent = listener(agent_path), dir = scratch_open(*state);
	struct ssh ssh = SSH_INIT;
	unsigned char got[16];
	struct stat st;
	int inner, client;

	ssh.socket = xstrdup(agent_path);
	assert_int_equal(ssh_relay(&ssh, dir, "relay", getuid(), getgid(), 0640, NULL), 0);
	assert_int_equal(stat(relay_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	client = caller(relay_path);
	assert_int_equal(write(client, forget, sizeof(forget)), sizeof(forget));
	assert_int_equal(read(client, got, sizeof(got)), 5);
	assert_int_equal(got[4], 5);
	assert_int_equal(write(client, keys, sizeof(keys)), sizeof(keys));
	inner = accept(agent, NULL, NULL);
	assert_int_equal(read(inner, got, sizeof(got)), sizeof(keys));
	assert_int_equal(got[4], 11);
	assert_int_equal(write(inner, answer, sizeof(answer)), sizeof(answer));
	assert_int_equal(read(client, got, sizeof(got)), sizeof(answer));
	/* A message that is too long ends it. */
	assert_int_equal(write(client, "\xff\xff\xff\xff", 4), 4);
	assert_int_equal(read(client, got, sizeof(got)), 0);
	(void)close(inner);
	(void)close(client);
	ssh_done(&ssh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(specs),
		cmocka_unit_test(only_keys_and_signatures_may_be_asked_for),
		cmocka_unit_test_setup_teardown(what_was_not_given_is_not_there, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(the_relay_passes_on_what_may_be_asked,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/ssh", tests, NULL, NULL);
}

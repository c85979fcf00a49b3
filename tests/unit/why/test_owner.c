/* tests/unit/why/test_owner.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "why/owner.h"

/* A9.12 */
static void names_say_whose_rules_they_are(void **state)
{
	static const struct {
		enum owner (*ask)(const char *name);
		const char *name, *owner;
	} cases[] = {
		{ owner_of_table, "strake", "strake" },
		{ owner_of_table, "netavark", "Podman" },
		{ owner_of_table, "firewalld", "firewalld" },
		{ owner_of_table, "filter", "an administrator" },
		{ owner_of_chain, "DOCKER-ISOLATION-STAGE-1", "Docker" },
		{ owner_of_chain, "DOCKER-USER", "an administrator" },
		{ owner_of_chain, "KUBE-SERVICES", "Kubernetes" },
		{ owner_of_chain, "ufw-before-input", "ufw" },
		{ owner_of_chain, "ufw6-user-input", "ufw" },
		{ owner_of_chain, "NETAVARK_FORWARD", "Podman" },
		{ owner_of_chain, "CNI-FORWARD", "a CNI plugin" },
		{ owner_of_chain, "LIBVIRT_FWI", "libvirt" },
		{ owner_of_chain, "f2b-sshd", "fail2ban" },
		{ owner_of_chain, "INPUT", "an administrator" },
		{ owner_of_comment, "kubernetes service portals", "Kubernetes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(owner_name(cases[i].ask(cases[i].name)), cases[i].owner);
	assert_int_equal(owner_of_comment(NULL), OWNER_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_say_whose_rules_they_are) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

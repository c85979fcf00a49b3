/* tests/unit/registry/test_registries.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "registry/registries.h"

static const char conf[] =
	"unqualified-search-registries = [\"quay.io\"]\n"
	"[[registry]]\nprefix = \"quay.io\"\nlocation = \"q.example:5000/all\"\n"
	"[[registry]]\nprefix = \"quay.io/team\"\nblocked = true\n"
	"[[registry]]\nprefix = \"*.corp\"\ninsecure = true\n"
	"[[registry.mirror]]\nlocation = \"m.corp:1\"\npull-from-mirror = \"digest-only\"\n"
	"[aliases]\nweb = \"docker.io/library/web\"\n";

static void load(struct registries *r, const char *text)
{
	registries_init(r);
	assert_int_equal(registries_add(r, text, strlen(text), "f", NULL), 0);
}

static void the_longest_prefix_is_found(void **state)
{
	static const struct {
		const char *name, *prefix, *there;
	} cases[] = {
		{ "quay.io/a:1", "quay.io", "q.example:5000/all/a:1" },
		{ "quay.io/team:1", "quay.io/team", "X:1" },
		{ "quay.io/team/x@sha256:0", "quay.io/team", "X/x@sha256:0" },
		{ "quay.io/teamwork", "quay.io", "q.example:5000/all/teamwork" },
		{ "quay.io:5000/a", NULL, NULL },
		{ "a.b.corp/x", "*.corp", "X/x" },
		{ "corp/x", NULL, NULL },
		{ "docker.io/library/web", NULL, NULL },
	};
	struct registries r;

	(void)state;
	load(&r, conf);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct registry *e = registries_find(&r, cases[i].name);
		autofree char *there = NULL;

		if (!cases[i].prefix) {
			assert_null(e);
			continue;
		}
		assert_non_null(e);
		assert_string_equal(e->prefix, cases[i].prefix);
		there = registry_rewrite(e, e->location ? e->location : "X", cases[i].name);
		assert_string_equal(there, cases[i].there);
	}
	assert_int_equal(registries_find(&r, "x.corp/a")->mirrors[0].use, MIRROR_DIGEST_ONLY);
	registries_done(&r);
}

static void short_names_are_never_guessed(void **state)
{
	static const struct {
		const char *conf, *typed;
		int r;
		const char *first; /* or the error */
	} cases[] = {
		{ "", "web", 0, "docker.io/library/web:latest" },
		{ "", "me/web:2", 0, "docker.io/me/web:2" },
		{ conf, "web:1", 0, "docker.io/library/web:1" },
		{ conf, "other", 0, "quay.io/other:latest" },
		{ "unqualified-search-registries = []", "web", -ENOENT,
		  "'web' names no registry and f lists none to search: type the whole name, such as "
		  "docker.io/library/web" },
		{ "unqualified-search-registries = ['a.b', 'c.d']", "web", -ENOTUNIQ,
		  "'web' may mean a.b/web:latest, c.d/web:latest (unqualified-search-registries of "
		  "f): type one of them, or make it an alias" },
		{ "short-name-mode = 'disabled'\nunqualified-search-registries = ['a.b', 'c.d']",
		  "web", 0, "a.b/web:latest" },
		{ "[aliases]\nweb = 'x'", "web", -EINVAL,
		  "the alias 'web' means 'x', which is short, too" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv names = { 0 };
		struct error err = { 0 };
		struct registries r;

		load(&r, cases[i].conf);
		assert_true(name_is_short(cases[i].typed));
		assert_int_equal(registries_expand(&r, cases[i].typed, &names, &err), cases[i].r);
		assert_string_equal(cases[i].r < 0 ? err.text : names.items[0], cases[i].first);
		strv_done(&names);
		registries_done(&r);
	}
	assert_false(name_is_short("localhost/web"));
	assert_false(name_is_short("a.b/web"));
}

static void what_is_unknown_is_said_and_what_is_wrong_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "[registries.search]\nregistries=[]",
		  "f: [registries.*] is the old form of this file; write [[registry]] and "
		  "unqualified-search-registries" },
		{ "[[registry]]\nprefix='https://x'",
		  "f: registry[0].prefix: 'https://x' is not HOST[:PORT][/PATH] or *.HOST" },
		{ "[[registry]]\nlocation='x'\nblocked='yes'",
		  "f: registry[0].blocked: expected true or false" },
		{ "short-name-mode = 'x'",
		  "f: short-name-mode: 'x' is none of enforcing, permissive, disabled" },
	};
	struct registries r;

	(void)state;
	load(&r, "color = 1\n[[registry]]\nlocation = 'x'\nsize = 2\n");
	assert_int_equal(r.warnings.n, 2);
	assert_string_equal(r.warnings.items[0], "f: color is not known and ignored");
	assert_string_equal(r.warnings.items[1], "f: registry.size is not known and ignored");
	registries_done(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		registries_init(&r);
		assert_int_equal(
			registries_add(&r, cases[i].text, strlen(cases[i].text), "f", &err),
			-EBADMSG);
		assert_string_equal(err.text, cases[i].why);
		registries_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_is_found),
		cmocka_unit_test(short_names_are_never_guessed),
		cmocka_unit_test(what_is_unknown_is_said_and_what_is_wrong_refused),
	};

	return cmocka_run_group_tests_name("registry/registries", tests, NULL, NULL);
}

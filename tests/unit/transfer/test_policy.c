/* tests/unit/transfer/test_policy.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "transfer/policy.h"
#include "transfer/signature.h"

#define DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static const char text[] =
	"{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{"
	"\"docker.io/library/web:1\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/1\"}],"
	"\"docker.io/library/web\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/2\"}],"
	"\"docker.io\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/3\"}],"
	"\"*.corp\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/4\"}],"
	"\"*.b.corp\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/5\"}],"
	"\"\":[{\"type\":\"insecureAcceptAnything\"}]}}}";

static void the_longest_scope_holds(void **state)
{
	static const struct {
		const char *transport, *name, *key;
		enum requirement_kind kind;
	} cases[] = {
		{ "docker", "docker.io/library/web:1", "/1", REQUIRE_SIGSTORE },
		{ "docker", "docker.io/library/web:10", "/2", REQUIRE_SIGSTORE },
		{ "docker", "docker.io/library/website:1", "/3", REQUIRE_SIGSTORE },
		{ "docker", "a.corp/x:1", "/4", REQUIRE_SIGSTORE },
		{ "docker", "a.b.corp/x:1", "/5", REQUIRE_SIGSTORE },
		{ "docker", "docker.io:5000/x:1", NULL, REQUIRE_NOTHING },
		{ "oci", "/tmp/x", NULL, REQUIRE_MIRACLE },
	};
	cleanup(policy_cleanup) struct policy *p = NULL;

	(void)state;
	assert_int_equal(policy_parse(text, strlen(text), "f", &p, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct requirements *s = policy_find(p, cases[i].transport, cases[i].name);

		assert_int_equal(s->items[0].kind, cases[i].kind);
		if (cases[i].key)
			assert_string_equal(s->items[0].key_paths.items[0], cases[i].key);
	}
}

static void what_is_not_understood_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{}", "f: default: expected a list of requirements that is not empty" },
		{ "{\"default\":[]}",
		  "f: default: expected a list of requirements that is not empty" },
		{ "{\"default\":[{\"type\":\"trust\"}]}",
		  "f: default[0].type: 'trust' is not known" },
		{ "{\"default\":[{\"type\":\"reject\",\"x\":1}]}",
		  "f: default[0]: 'x' is not known" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}]}",
		  "f: default[0]: one of keyPath, keyPaths and keyData is needed" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{}}]}",
		  "f: default[0]: certificates (fulcio, pki) and logs (rekor) are not checked here; use "
		  "a key" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *p = NULL;
		struct error err = { 0 };

		assert_int_equal(policy_parse(cases[i].text, strlen(cases[i].text), "f", &p, &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].why);
	}
}

#define SIGNED(type, name)                                                                         \
	"{\"critical\":{\"type\":\"" type "\",\"image\":{\"docker-manifest-digest\":\"" DIGEST     \
	"\"},\"identity\":{\"docker-reference\":\"" name "\"}}}"
#define COSIGN "cosign container image signature"

static void a_signed_text_must_be_about_this_image(void **state)
{
	static const struct {
		enum identity_kind identity;
		const char *reference, *name, *payload;
		int r;
	} cases[] = {
		{ IDENTITY_EXACT_OR_REPOSITORY, NULL, "q.io/a:1", SIGNED(COSIGN, "q.io/a:1"), 0 },
		{ IDENTITY_EXACT_OR_REPOSITORY, NULL, "q.io/a:1", SIGNED(COSIGN, "q.io/a:2"),
		  -EPERM },
		{ IDENTITY_EXACT_OR_REPOSITORY, NULL, "q.io/a:latest", SIGNED(COSIGN, "q.io/a"),
		  -EPERM },
		{ IDENTITY_EXACT_OR_REPOSITORY, NULL, "q.io/a@" DIGEST, SIGNED(COSIGN, "q.io/a:2"),
		  0 },
		{ IDENTITY_REPOSITORY, NULL, "q.io/a:1", SIGNED(COSIGN, "q.io/a"), 0 },
		{ IDENTITY_REPOSITORY, NULL, "q.io/a:1", SIGNED(COSIGN, "q.io/b"), -EPERM },
		{ IDENTITY_GIVEN_REPOSITORY, "q.io/up", "q.io/a:1", SIGNED(COSIGN, "q.io/up:7"),
		  0 },
		{ IDENTITY_GIVEN_REFERENCE, "q.io/up:7", "q.io/a:1", SIGNED(COSIGN, "q.io/up:7"),
		  0 },
		{ IDENTITY_GIVEN_REFERENCE, "q.io/up:8", "q.io/a:1", SIGNED(COSIGN, "q.io/up:7"),
		  -EPERM },
		{ IDENTITY_REPOSITORY, NULL, "q.io/a:1", SIGNED("other", "q.io/a"), -EPERM },
		{ IDENTITY_REPOSITORY, NULL, "q.io/a:1", "{}", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct requirement need = {
			.kind = REQUIRE_SIGSTORE,
			.identity = cases[i].identity,
			.reference = (char *)(uintptr_t)cases[i].reference,
		};
		struct policy_question q = { .transport = "docker",
					     .name = cases[i].name,
					     .digest = DIGEST };
		struct error err = { 0 };

		assert_int_equal(signature_payload_check(cases[i].payload, strlen(cases[i].payload),
							 &need, &q, &err),
				 cases[i].r);
		q.digest = "sha256:1";
		assert_true(signature_payload_check(cases[i].payload, strlen(cases[i].payload),
						    &need, &q, &err) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_scope_holds),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(a_signed_text_must_be_about_this_image),
	};

	return cmocka_run_group_tests_name("transfer/policy", tests, NULL, NULL);
}

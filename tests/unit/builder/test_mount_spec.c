#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "builder/mount_spec.h"

#include "../scratch.h"

static void texts_become_mounts(void **state)
{
	static const struct {
		const char *text, *error; /* NULL: fine */
	} cases[] = {
		{ "target=/a", NULL },
		{ "type=bind,from=x,source=/s,target=/a,rw", NULL },
		{ "type=cache,target=/a,id=x,sharing=locked,mode=0700,uid=1,gid=2,ro", NULL },
		{ "type=tmpfs,target=/a,size=1m", NULL },
		{ "type=secret,id=x", NULL },
		{ "type=secret,target=/a/x,required,mode=0440", NULL },
		{ "sharing=locked,type=cache,dst=/a", NULL },
		{ "type=secret,id=x,env=A_1", NULL },
		{ "type=ssh", NULL },
		{ "type=ssh,id=x,target=/a,required,mode=0666,uid=1,gid=2", NULL },
		{ "type=ssh,env=X", "--mount=type=ssh,env=X: a mount of type ssh has no 'env'" },
		{ "type=secret,id=x,env=A=B",
		  "--mount=type=secret,id=x,env=A=B: 'A=B' is no name of a variable" },
		{ "type=secret,id=x,env=1A",
		  "--mount=type=secret,id=x,env=1A: '1A' is no name of a variable" },
		{ "type=bind", "--mount=type=bind: it wants a target" },
		{ "type=secret", "--mount=type=secret: a secret wants an id" },
		{ "type=nope,target=/a",
		  "--mount=type=nope,target=/a: type is bind, cache, secret, ssh or tmpfs, not 'nope'" },
		{ "type=tmpfs,target=/a,from=x",
		  "--mount=type=tmpfs,target=/a,from=x: a mount of type tmpfs has no 'from'" },
		{ "type=cache,target=/a,source=/x",
		  "--mount=type=cache,target=/a,source=/x: source is of a from, which is not there" },
		{ "type=cache,target=/a,sharing=x",
		  "--mount=type=cache,target=/a,sharing=x: sharing is shared, locked or private, not 'x'" },
		{ "type=cache,target=/a,mode=9",
		  "--mount=type=cache,target=/a,mode=9: mode '9' is no octal number" },
		{ "target", "--mount=target: target wants a value" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_spec spec = { .from = NULL };
		struct error err = { 0 };
		int r = mount_spec_parse(cases[i].text, &spec, &err);

		assert_int_equal(r, cases[i].error ? -EINVAL : 0);
		assert_string_equal(err.text, cases[i].error ? cases[i].error : "");
		mount_spec_done(&spec);
	}
}

static void what_is_given_is_kept(void **state)
{
	struct mount_spec spec;

	(void)state;
	assert_int_equal(mount_spec_parse("type=cache,id=i,dst=/a,sharing=private,mode=0711,uid=5",
					  &spec, NULL),
			 0);
	assert_string_equal(spec.id, "i");
	assert_string_equal(spec.target, "/a");
	assert_int_equal(spec.sharing, SHARING_PRIVATE);
	assert_int_equal(spec.mode, 0711);
	assert_int_equal(spec.uid, 5);
	assert_int_equal(spec.gid, -1);
	assert_false(spec.read_only);
	mount_spec_done(&spec);
	assert_int_equal(mount_spec_parse("target=/a", &spec, NULL), 0);
	assert_true(spec.read_only);
	mount_spec_done(&spec);
	assert_int_equal(mount_spec_parse("type=secret,target=/x/key", &spec, NULL), 0);
	assert_string_equal(spec.id, "key");
	mount_spec_done(&spec);
	assert_int_equal(mount_spec_parse("type=ssh", &spec, NULL), 0);
	assert_string_equal(spec.id, "default");
	mount_spec_done(&spec);
	assert_int_equal(mount_spec_parse("type=secret,id=x,env=A", &spec, NULL), 0);
	assert_string_equal(spec.env, "A");
	assert_null(spec.target);
	mount_spec_done(&spec);
}

static void secrets_come_from_files_and_variables(void **state)
{
	autofree char *from_file = xasprintf("id=a,src=%s/s", (char *)*state);
	struct error err = { 0 };
	char *bytes = NULL;
	size_t len;

	scratch_put(*state, "s", "of a file");
	assert_int_equal(secret_read(from_file, "a", &bytes, &len, &err), 0);
	assert_string_equal(bytes, "of a file");
	free(bytes);
	assert_int_equal(secret_read(from_file, "b", &bytes, &len, &err), 1);
	assert_int_equal(setenv("STRAKE_UNIT_SECRET", "of a variable", 1), 0);
	assert_int_equal(secret_read("id=a,env=STRAKE_UNIT_SECRET", "a", &bytes, &len, &err), 0);
	assert_string_equal(bytes, "of a variable");
	free(bytes);
	assert_int_equal(secret_read("id=STRAKE_NOT_THERE", "STRAKE_NOT_THERE", &bytes, &len, &err),
			 -ENOENT);
	assert_int_equal(secret_read("src=x", "a", &bytes, &len, &err), -EINVAL);
	assert_int_equal(
		secret_read("id=a,type=env,src=STRAKE_UNIT_SECRET", "a", &bytes, &len, &err), 0);
	assert_string_equal(bytes, "of a variable");
	free(bytes);
	/* Before a step asks: a file has to be there, a variable need not. */
	assert_int_equal(secret_check(from_file, &err), 0);
	assert_int_equal(secret_check("id=STRAKE_UNIT_SECRET", &err), 0);
	assert_int_equal(secret_check("id=a,env=STRAKE_NOT_THERE", &err), 0);
	assert_int_equal(secret_check("id=STRAKE_NOT_THERE", &err), -ENOENT);
	assert_int_equal(secret_check("id=a,src=/nowhere/at/all", &err), -ENOENT);
	assert_int_equal(secret_check("id=a,src=/", &err), -EISDIR);
	assert_int_equal(secret_check("id=a,file=x", &err), -EINVAL);
	assert_int_equal(secret_check("id=a,type=vault", &err), -EINVAL);
	assert_int_equal(secret_check("a", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_mounts),
		cmocka_unit_test(what_is_given_is_kept),
		cmocka_unit_test_setup_teardown(secrets_come_from_files_and_variables,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/mount_spec", tests, NULL, NULL);
}

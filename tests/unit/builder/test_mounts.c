/* tests/unit/builder/test_mounts.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/mounts.h"
#include "image/incoming.h"
#include "builder/containerfile.h"

struct sight {
	struct instruction ins;
	struct line line;
	struct work w;
	struct mounts mounts;
	struct step step;
	struct incoming in;
};

/* A RUN with this --mount, as far as its mounts go. */
static int look(struct bench *bench, const char *mount, struct sight *ret)
{
	struct step_key key;
	int r;

	*ret = (struct sight) { .mounts = MOUNTS_INIT, .in = INCOMING_INIT };
	ret->line.text = (char *)"RUN";
	ret->ins = (struct instruction) { .kind = INS_RUN, .line = &ret->line };
	strv_addf(&ret->ins.flags, "mount=%s", mount);
	ret->w = (struct work) { .b = &bench->hand.build,
				 .state = &bench->hand.state,
				 .ins = &ret->ins };
	bench->err = (struct error) { 0 };
	step_key_begin(&key, "RUN");
	r = mounts_read(&ret->w, &ret->mounts, &key);
	step_key_end(&key, &ret->w, &ret->step);
	if (r == 0)
		r = mounts_lock(&ret->w, &ret->mounts);
	if (r == 0)
		r = incoming_begin(engine_root(bench->engine), engine_root_fd(bench->engine),
				   &ret->in, &bench->err);
	return r == 0 ? mounts_make(&ret->w, &ret->mounts, &ret->in) : r;
}

static void look_away(struct sight *sight)
{
	mounts_done(&sight->mounts);
	incoming_done(&sight->in);
	instruction_done(&sight->ins);
}

static const char *member(const struct sight *sight, const char *key)
{
	return json_string_value(json_object_get(json_array_get(sight->mounts.list, 0), key));
}

static void a_bind_is_the_files_themselves_whose_content_counts(void **state)
{
	autofree char *path = NULL, *text = NULL;
	struct bench bench;
	struct sight one, two;

	bench_open(&bench, *state);
	scratch_put(*state, "ctx/d/f", "F");
	assert_int_equal(look(&bench, "type=bind,source=d,target=/mnt", &one), 0);
	assert_string_equal(member(&one, "destination"), "/mnt");
	path = xasprintf("%s/f", member(&one, "source"));
	assert_int_equal(file_read_at(AT_FDCWD, path, 10, &text, NULL, NULL), 0);
	assert_string_equal(text, "F");
	assert_non_null(strstr(path, "/ctx/d/"));
	look_away(&one);
	assert_int_equal(look(&bench, "type=bind,source=d,target=/mnt,rw", &two), 0);
	assert_string_equal(member(&two, "type"), "overlay");
	look_away(&two);
	scratch_put(*state, "ctx/d/f", "G");
	assert_int_equal(look(&bench, "type=bind,source=d,target=/mnt", &two), 0);
	assert_string_equal(one.step.what, two.step.what);
	assert_string_not_equal(one.step.key, two.step.key);
	look_away(&two);
	bench_close(&bench);
}

static void a_secret_is_in_the_run_root_and_in_no_key(void **state)
{
	struct strv secrets = { 0 };
	autofree char *run = xasprintf("%s/run/", (char *)*state), *path = NULL, *text = NULL;
	struct bench bench;
	struct sight one, two;
	struct stat st;

	bench_open(&bench, *state);
	scratch_put(*state, "token", "s3cret");
	strv_addf(&secrets, "id=token,src=%s/token", (char *)*state);
	bench.hand.req.secrets = &secrets;
	assert_int_equal(look(&bench, "type=secret,id=token,required", &one), 0);
	assert_string_equal(member(&one, "destination"), "/run/secrets/token");
	path = xstrdup(member(&one, "source"));
	assert_int_equal(strncmp(path, run, strlen(run)), 0);
	assert_int_equal(file_read_at(AT_FDCWD, path, 10, &text, NULL, NULL), 0);
	assert_string_equal(text, "s3cret");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	look_away(&one);
	assert_int_not_equal(access(path, F_OK), 0);
	scratch_put(*state, "token", "other");
	assert_int_equal(look(&bench, "type=secret,id=token,required", &two), 0);
	assert_string_equal(one.step.key, two.step.key);
	look_away(&two);
	strv_done(&secrets);
	assert_int_equal(look(&bench, "type=secret,id=token,required", &two), -ENOENT);
	assert_non_null(strstr(bench.err.text, "--secret id=token,src=FILE gives it"));
	look_away(&two);
	/* Not required, and not there: no mount. */
	assert_int_equal(look(&bench, "type=secret,id=token", &two), 0);
	assert_int_equal(json_array_size(two.mounts.list), 0);
	look_away(&two);
	bench_close(&bench);
}

static void caches_are_shared_kept_apart_or_waited_for(void **state)
{
	autofree char *first = NULL, *lock = NULL;
	struct bench bench;
	struct sight one, two;
	autoclose int fd = -1;

	bench_open(&bench, *state);
	assert_int_equal(look(&bench, "type=cache,target=/c,mode=0700", &one), 0);
	first = xstrdup(member(&one, "source"));
	assert_int_equal(look(&bench, "type=cache,target=/c", &two), 0);
	assert_string_equal(member(&two, "source"), first);
	look_away(&two);
	/* One who wants it alone has another while it is in use. */
	assert_int_equal(look(&bench, "type=cache,target=/c,sharing=private", &two), 0);
	assert_string_not_equal(member(&two, "source"), first);
	look_away(&two);
	look_away(&one);
	assert_int_equal(look(&bench, "type=cache,target=/c,sharing=private", &two), 0);
	assert_string_equal(member(&two, "source"), first);
	look_away(&two);
	/* Locked: nobody else has it meanwhile. */
	assert_int_equal(look(&bench, "type=cache,target=/c,sharing=locked", &one), 0);
	assert_string_equal(member(&one, "source"), first);
	lock = xstrndup(first, strlen(first) - strlen("/_data"));
	fd = scratch_open(lock);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), -1);
	look_away(&one);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	/* By name, not by place. */
	assert_int_equal(look(&bench, "type=cache,id=n,target=/c", &one), 0);
	assert_string_not_equal(member(&one, "source"), first);
	look_away(&one);
	bench_close(&bench);
}

static void the_whole_root_is_no_target(void **state)
{
	struct bench bench;
	struct sight one;

	bench_open(&bench, *state);
	assert_int_equal(look(&bench, "type=tmpfs,target=/", &one), -EINVAL);
	look_away(&one);
	assert_int_equal(look(&bench, "type=tmpfs,target=x/../..", &one), -EINVAL);
	look_away(&one);
	bench_close(&bench);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_bind_is_the_files_themselves_whose_content_counts),
		CASE(a_secret_is_in_the_run_root_and_in_no_key),
		CASE(caches_are_shared_kept_apart_or_waited_for),
		CASE(the_whole_root_is_no_target),
	};

	return cmocka_run_group_tests_name("builder/mounts", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scratch.h"
#include "builder/git.h"
#include "builder/git_source.h"

/* A repository with a tag and a branch of one name, a tag with a text of its own, and a link that
 * leads out of it.
 */
static const char script[] =
	"set -eu; cd \"$1\"; export HOME=$1 GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$1/none\n"
	"export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b\n"
	"git init -q -b main repo; cd repo; mkdir sub; echo one >file; echo in >sub/file\n"
	"ln -s ../../../.. sub/out; git add .; git commit -q -m 1; git tag same\n"
	"git rev-parse HEAD >../first; git tag -a -m text noted; echo two >file\n"
	"git commit -q -a -m 2; git branch same; git rev-parse HEAD >../second\n"
	"git config uploadpack.allowAnySHA1InWant true\n";

static int make_repository(void **state)
{
	pid_t pid;
	int status;

	if (scratch_setup(state) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)execlp("sh", "sh", "-c", script, "sh", (char *)*state, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

struct asked {
	struct git_source source;
	struct git_request req;
	char *work;
};

static void ask(struct asked *a, const char *dir, const char *behind)
{
	static int n;
	autofree char *url = xasprintf("file://%s/repo/.git%s", dir, behind);

	*a = (struct asked) { .work = xasprintf("%s/work%d", dir, n++) };
	assert_int_equal(git_source_parse(url, &a->source, NULL), 0);
	assert_int_equal(mkdir(a->work, 0700), 0);
	a->req = (struct git_request) { .source = &a->source,
					.work = scratch_open(a->work),
					.work_path = a->work };
}

static void asked_done(struct asked *a)
{
	(void)close(a->req.work);
	git_source_done(&a->source);
	free(a->work);
}

static char *line_of(const char *dir, const char *name)
{
	char *text = scratch_get(dir, name);

	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void a_short_name_means_what_git_means(void **state)
{
	autofree char *first = line_of(*state, "first"), *second = line_of(*state, "second");
	autofree char *by_number = xasprintf("#%s", first), *start = xasprintf("#%.8s", first);
	const struct {
		const char *behind, *name, *commit;
	} cases[] = {
		{ "", "HEAD", second },
		{ "#main", "refs/heads/main", second },
		{ "#same", "refs/tags/same", first },
		{ "#refs/heads/same", "refs/heads/same", second },
		{ "#heads/same", "refs/heads/same", second },
		{ "#noted", "refs/tags/noted", first },
		{ by_number, "", first },
		{ start, "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct git_found found;
		struct asked a;

		ask(&a, *state, cases[i].behind);
		assert_int_equal(git_resolve(&a.req, &found, NULL), 0);
		assert_string_equal(found.name, cases[i].name);
		assert_string_equal(found.commit, cases[i].commit);
		asked_done(&a);
	}
}

static char *read_at(int fd, const char *name)
{
	char *text = NULL;

	return file_read_at(fd, name, 1000, &text, NULL, NULL) < 0 ? NULL : text;
}

static void files_come_without_their_repository(void **state)
{
	autofree char *first = line_of(*state, "first"), *second = line_of(*state, "second");
	autofree char *start = xasprintf("#%.8s", first), *by_number = xasprintf("#%s", first);
	autofree char *in_sub = xasprintf("#%s:sub", first);
	const struct {
		const char *behind, *commit, *file;
	} cases[] = {
		{ "#noted", first, "one\n" },  { "", second, "two\n" },
		{ by_number, first, "one\n" }, { start, first, "one\n" },
		{ in_sub, first, "in\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text = NULL;
		struct error err = { 0 };
		struct git_found found;
		struct asked a;
		int fd = -1;

		ask(&a, *state, cases[i].behind);
		assert_int_equal(git_resolve(&a.req, &found, &err), 0);
		assert_int_equal(git_checkout(&a.req, &found, &fd, &err), 0);
		assert_string_equal(found.commit, cases[i].commit);
		text = read_at(fd, "file");
		assert_string_equal(text, cases[i].file);
		assert_int_equal(faccessat(fd, ".git", F_OK, 0), -1);
		(void)close(fd);
		asked_done(&a);
	}
}

static void what_is_not_there_is_told(void **state)
{
	static const struct {
		const char *behind, *said;
	} cases[] = {
		{ "#nothing", "there is no branch, tag or commit nothing" },
		{ "#00000000", "there is no commit 00000000" },
		{ "#0123456789012345678901234567890123456789", "" },
		{ "#main:nowhere", "there is no directory nowhere in it" },
		{ "#main:file", "there is no directory file in it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct git_found found;
		struct asked a;
		int fd = -1, r;

		ask(&a, *state, cases[i].behind);
		r = git_resolve(&a.req, &found, &err);
		if (r == 0)
			r = git_checkout(&a.req, &found, &fd, &err);
		assert_true(r < 0);
		assert_int_equal(fd, -1);
		assert_non_null(strstr(err.text, cases[i].said));
		assert_non_null(strstr(err.text, "git file://"));
		asked_done(&a);
	}
}

/* A link in the repository is followed inside of it. */
static void a_directory_does_not_lead_outside(void **state)
{
	struct error err = { 0 };
	struct git_found found;
	struct asked a;
	autofree char *text = NULL;
	int fd = -1;

	ask(&a, *state, "#main:sub/out");
	assert_int_equal(git_resolve(&a.req, &found, &err), 0);
	assert_int_equal(git_checkout(&a.req, &found, &fd, &err), 0);
	text = read_at(fd, "sub/file");
	assert_string_equal(text, "in\n");
	(void)close(fd);
	asked_done(&a);
}

static void a_commit_that_is_wanted_has_to_be_it(void **state)
{
	autofree char *first = line_of(*state, "first");
	struct error err = { 0 };
	struct git_found found;
	struct asked a;

	ask(&a, *state, "#main");
	a.source.commit = xstrdup(first);
	assert_int_equal(git_resolve(&a.req, &found, &err), -EBADMSG);
	assert_non_null(strstr(err.text, first));
	asked_done(&a);
	ask(&a, *state, "#same");
	a.source.commit = xasprintf("%.10s", first);
	assert_int_equal(git_resolve(&a.req, &found, NULL), 0);
	asked_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_name_means_what_git_means),
		cmocka_unit_test(files_come_without_their_repository),
		cmocka_unit_test(what_is_not_there_is_told),
		cmocka_unit_test(a_directory_does_not_lead_outside),
		cmocka_unit_test(a_commit_that_is_wanted_has_to_be_it),
	};

	return cmocka_run_group_tests_name("builder/git", tests, make_repository, scratch_teardown);
}

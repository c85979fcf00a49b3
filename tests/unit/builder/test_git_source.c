#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/git_source.h"

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* "TRANSPORT URL REF DIR COMMIT [kept] [flat]", the error, or "path". */
static char *parsed(const char *text)
{
	static const char *const names[] = {
		[GIT_HTTP] = "http", [GIT_DAEMON] = "git", [GIT_SSH] = "ssh", [GIT_FILE] = "file"
	};
	struct git_source s;
	struct error err = { 0 };
	int r = git_source_parse(text, &s, &err);
	char *got;

	if (r != 0)
		return xstrdup(r > 0 ? "path" : err.text);
	got = xasprintf("%s %s %s %s %s%s%s", names[s.transport], s.url, or_dash(s.ref),
			or_dash(s.dir), or_dash(s.commit), s.keeps_git_dir ? " kept" : "",
			s.no_submodules ? " flat" : "");
	git_source_done(&s);
	return got;
}

static void texts_name_repositories(void **state)
{
	static const struct {
		const char *text, *got;
	} cases[] = {
		{ "https://h/x.git", "http https://h/x.git - - -" },
		{ "HTTP://h/x.GIT/", "http HTTP://h/x.GIT/ - - -" },
		{ "https://h/x.git#v1", "http https://h/x.git v1 - -" },
		{ "https://h/x.git#v1:a/b", "http https://h/x.git v1 a/b -" },
		{ "https://h/x.git#:a/../b/", "http https://h/x.git - b -" },
		{ "https://h/x.git#:../../..", "http https://h/x.git - - -" },
		{ "https://h/x.git#", "http https://h/x.git - - -" },
		{ "https://u:p@h:8/x.git?ref=a%2Fb&subdir=c",
		  "http https://u:p@h:8/x.git a/b c -" },
		{ "https://h/x.git?tag=v1&commit=0123456&keep-git-dir&submodules=false",
		  "http https://h/x.git v1 - 0123456 kept flat" },
		{ "git://h/any", "git git://h/any - - -" },
		{ "ssh://u@h:22/x#b", "ssh ssh://u@h:22/x b - -" },
		{ "git@h.org:a/x.git#b:c", "ssh git@h.org:a/x.git b c -" },
		{ "me_2@h:x?y#b", "ssh me_2@h:x?y b - -" },
		{ "file:///a/b", "file file:///a/b - - -" },
		{ "https://h/x", "path" },
		{ "https://h/x.git/y", "path" },
		{ "https://h/x?y=.git", "path" },
		{ "https://.git", "path" },
		{ "a@b", "path" },
		{ "@h:x", "path" },
		{ "-a@h:x", "path" },
		{ "a@-oX:x", "path" },
		{ "a@h:", "path" },
		{ "dir/x.git", "path" },
		{ "", "path" },
		{ "git://h/x#-u", "git://h/x#-u: '-u' is no branch, tag or commit" },
		{ "git://h/x#a b", "git://h/x#a b: 'a b' is no branch, tag or commit" },
		{ "git://h/x#a..b", "git://h/x#a..b: 'a..b' is no branch, tag or commit" },
		{ "git://h/x#a^{}", "git://h/x#a^{}: 'a^{}' is no branch, tag or commit" },
		{ "git://h/a b", "git://h/a b: there is a blank in it" },
		{ "git:///x", "git:///x: it names no host" },
		{ "ssh://-oP=x/y", "ssh://-oP=x/y: it names no host" },
		{ "git://u:p@h/x?nope=1",
		  "git://h/x?nope=1: a git URL has no 'nope': ref, branch, tag, commit, subdir, "
		  "keep-git-dir, submodules" },
		{ "git://h/x?commit=xyz",
		  "git://h/x?commit=xyz: 'xyz' is no commit, nor the start of one" },
		{ "git://h/x?submodules=2",
		  "git://h/x?submodules=2: '2' is neither true nor false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = parsed(cases[i].text);

		assert_string_equal(got, cases[i].got);
	}
}

static void parts_of_urls(void **state)
{
	static const struct {
		const char *url, *name, *host, *shown;
	} cases[] = {
		{ "http://h/a/b", "b", "h", "http://h/a/b" },
		{ "http://u:p@h:80/a%20b?c/d#e", "a b", "h:80", "http://h:80/a%20b?c/d#e" },
		{ "http://h/a/", "-", "h", "http://h/a/" },
		{ "http://h", "-", "h", "http://h" },
		{ "http://h?a/b", "-", "h", "http://h?a/b" },
		{ "http://h/..", "-", "h", "http://h/.." },
		{ "http://h/%2e%2E", "-", "h", "http://h/%2e%2E" },
		{ "http://h/a%2fb", "-", "h", "http://h/a%2fb" },
		{ "http://h/a%00b%zz", "a%00b%zz", "h", "http://h/a%00b%zz" },
		{ "http://a@b@h/x@y", "x@y", "h", "http://h/x@y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *name = url_file_name(cases[i].url), *host = url_host(cases[i].url);
		autofree char *shown = url_shown(cases[i].url);

		assert_string_equal(or_dash(name), cases[i].name);
		assert_string_equal(host, cases[i].host);
		assert_string_equal(shown, cases[i].shown);
	}
	assert_true(url_is_http("hTTps://x"));
	assert_false(url_is_http("ftp://x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_name_repositories),
		cmocka_unit_test(parts_of_urls),
	};

	return cmocka_run_group_tests_name("builder/git_source", tests, NULL, NULL);
}

/* tests/fuzz/fuzz_git_source.c */
#include <string.h>

#include "builder/git_source.h"
#include "fuzz.h"

/* What git and ssh get as words must be no options, and a directory none outside. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size);
	autofree char *name = url_file_name(text), *host = url_host(text), *shown = url_shown(text);
	struct git_source s;
	struct error err = { 0 };
	int r = git_source_parse(text, &s, &err);

	fuzz_must(!name || (*name && !strchr(name, '/') && strcmp(name, "..") != 0));
	fuzz_must(!strchr(host, '/') && !strchr(host, '@'));
	fuzz_must(strlen(shown) <= strlen(text));
	if (r < 0)
		fuzz_must(err.text[0]);
	if (r != 0)
		return 0;
	fuzz_must(s.url[0] != '-' && !strpbrk(s.url, " \n\t"));
	fuzz_must(!s.ref || (s.ref[0] && s.ref[0] != '-'));
	fuzz_must(!s.dir || (s.dir[0] && s.dir[0] != '/' && strncmp(s.dir, "../", 3) != 0));
	fuzz_must(!s.commit || strspn(s.commit, "0123456789abcdef") == strlen(s.commit));
	git_source_done(&s);
	return 0;
}

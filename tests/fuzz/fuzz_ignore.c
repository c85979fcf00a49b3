/* tests/fuzz/fuzz_ignore.c */
#include "builder/ignore.h"
#include "fuzz.h"

/* What is skipped is ignored, and so is all that is in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *given = fuzz_text(&data, &size), *path = path_clean(given), *again = NULL;
	autofree char *below = xasprintf("%s/x", path);
	struct ignore ignore;
	struct error err = { 0 };

	again = path_clean(path);
	fuzz_must(strcmp(path, again) == 0);
	if (ignore_parse((const char *)data, size, &ignore, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	if (path[0] != '/' && ignore_skips(&ignore, path))
		fuzz_must(ignore_matches(&ignore, path) && ignore_matches(&ignore, below));
	ignore_done(&ignore);
	return 0;
}

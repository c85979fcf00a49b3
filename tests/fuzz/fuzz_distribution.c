/* tests/fuzz/fuzz_distribution.c - one text as os-release and as both kinds of package list */
#include "fuzz.h"
#include "image/distribution.h"

static bool is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size), *said = NULL;
	struct distribution d = { .id = NULL };
	struct strv names = { 0 };

	distribution_parse(text, &d);
	said = distribution_text(&d);
	fuzz_must(said[0] && is_clean(said));
	packages_parse_dpkg(text, &names);
	packages_parse_apk(text, &names);
	for (size_t i = 0; i < names.n; i++)
		fuzz_must(names.items[i][0] && is_clean(names.items[i]));
	strv_done(&names);
	distribution_done(&d);
	return 0;
}

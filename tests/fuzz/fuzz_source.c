/* tests/fuzz/fuzz_source.c - any bytes as the archive of an image */
#include "fuzz.h"
#include "image/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "manifest.json", "a", "a/b", "../a", "" };
	const char *dir = fuzz_dir();
	autofree char *path = xasprintf("%s/archive", dir);
	autoclose int tmp = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(source_cleanup) struct source *s = NULL;
	struct error err = { 0 };

	fuzz_put(dir, "archive", data, size);
	if (source_open(path, tmp, tmp, &s, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *text = NULL;
		size_t len = 0;

		if (source_read(s, names[i], 1U << 16, &text, &len, NULL) == 0)
			fuzz_must(text[len] == '\0' && source_has(s, names[i]));
	}
	return 0;
}

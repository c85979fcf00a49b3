/* tests/fuzz/fuzz_mount_options.c */
#include "fuzz.h"
#include "kernel/mount.h"

/* Words with commas between them, as config.json has them one by one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size), *formatted = NULL;
	struct mount_options o = { .set = 0 };
	struct strv words = { 0 };
	char *rest = text, *word;

	while ((word = strsep(&rest, ",")))
		strv_add(&words, word);
	mount_options_parse(&words, &o);
	fuzz_must((o.set & o.clear & ~(uint64_t)MOUNT_ATTR__ATIME) == 0);
	fuzz_must(o.data.n <= words.n);
	formatted = mount_options_format(&o);
	mount_options_done(&o);
	strv_done(&words);
	return 0;
}

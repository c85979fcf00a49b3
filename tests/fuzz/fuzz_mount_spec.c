/* tests/fuzz/fuzz_mount_spec.c */
#include "builder/health.h"
#include "builder/mode.h"
#include "builder/mount_spec.h"
#include "fuzz.h"

/* The small texts of flags. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size);
	struct mount_spec spec;
	struct draft_mode mode;
	struct error err = { 0 };
	int64_t ns;

	if (mount_spec_parse(text, &spec, &err) == 0) {
		fuzz_must(spec.target || spec.id);
		mount_spec_done(&spec);
	} else {
		fuzz_must(err.text[0]);
	}
	if (mode_parse(text, &mode, NULL) == 0)
		fuzz_must(mode_apply(&mode, 0100644) <= 07777);
	if (duration_parse(text, &ns) == 0)
		fuzz_must(ns >= 0);
	return 0;
}

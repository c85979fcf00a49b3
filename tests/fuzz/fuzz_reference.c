/* tests/fuzz/fuzz_reference.c */
#include "fuzz.h"
#include "image/reference.h"

/* Both forms of a name mean the same image. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char canonical[REFERENCE_MAX], familiar[REFERENCE_MAX], back[REFERENCE_MAX];
	autofree char *text = fuzz_text(&data, &size);
	struct error err = { 0 };

	(void)digest_is_valid(text);
	if (reference_canonical(text, canonical, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	fuzz_must(reference_canonical(canonical, back, NULL) == 0 && strcmp(back, canonical) == 0);
	reference_familiar(canonical, familiar);
	fuzz_must(reference_canonical(familiar, back, NULL) == 0 && strcmp(back, canonical) == 0);
	fuzz_must(!strstr(canonical, "..") || strchr(canonical, '/'));
	return 0;
}

/* tests/fuzz/fuzz_config_change.c - any text as an instruction for an image's config */
#include <jansson.h>

#include "fuzz.h"
#include "image/config_change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size), *all = NULL;
	json_t *config = json_pack("{s:[s], s:s, s:{}}", "Env", "A=b", "WorkingDir", "/", "Labels");
	struct error err = { 0 };

	if (config_change(config, text, &err) < 0)
		fuzz_must(err.text[0]);
	/* Whatever it did, it is still an object that can be written (names that are no UTF-8 are
	 * dropped). */
	all = json_dumps(config, JSON_COMPACT);
	fuzz_must(all && json_is_object(config));
	json_decref(config);
	return 0;
}

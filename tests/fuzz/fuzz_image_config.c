/* tests/fuzz/fuzz_image_config.c */
#include "base/json.h"
#include "fuzz.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct image_config config = { .user = NULL };
	struct error err = { 0 };

	if (json_load_bytes((const char *)data, size, "config", &doc, NULL) < 0)
		return 0;
	if (image_config_parse(doc, &config, &err) < 0)
		fuzz_must(err.text[0]);
	else
		image_config_done(&config);
	return 0;
}

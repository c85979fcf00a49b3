/* tests/fuzz/fuzz_build_specs.c */
#include "builder/annotation.h"
#include "builder/cache_document.h"
#include "builder/cache_spec.h"
#include "builder/output_spec.h"
#include "fuzz.h"

/* The texts of build's options, and the document of a cache from elsewhere. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cached_steps steps = { .n = 0 };
	struct annotations annotations = { .n = 0 };
	struct cache_specs caches = { .n = 0 };
	struct outputs outputs = { .n = 0 };
	struct error err = { 0 };
	autofree char *text = NULL;

	if (cache_document_parse((const char *)data, size, &steps, &err) < 0)
		fuzz_must(err.text[0] && steps.n == 0);
	text = fuzz_text(&data, &size);
	if (output_parse(&outputs, text, NULL) == 0)
		fuzz_must(outputs.n == 1);
	if (annotation_parse(&annotations, text, NULL) == 0)
		fuzz_must(strchr(annotations.items[0].text, '=') != NULL);
	if (cache_spec_parse(&caches, "--cache-to", text, true, NULL) == 0)
		fuzz_must(caches.items[0].type == CACHE_INLINE ? !caches.items[0].where
							       : *caches.items[0].where);
	cached_steps_done(&steps);
	annotations_done(&annotations);
	cache_specs_done(&caches);
	outputs_done(&outputs);
	return 0;
}

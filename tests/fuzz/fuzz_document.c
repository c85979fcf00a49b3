/* tests/fuzz/fuzz_document.c - any bytes as a manifest or an index */
#include "fuzz.h"
#include "image/document.h"
#include "image/platform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document doc = { .n = 0 };
	struct error err = { 0 };

	if (document_parse((const char *)data, size, "it", &doc, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < doc.n; i++) {
		fuzz_must(strlen(doc.parts[i].digest) == DIGEST_HEX_LEN &&
			  strspn(doc.parts[i].digest, "0123456789abcdef") == DIGEST_HEX_LEN);
		fuzz_must((doc.parts[i].kind == PART_MANIFEST) == doc.is_index);
	}
	fuzz_must(platform_choose(&doc, "linux/amd64") < (int)doc.n);
	document_done(&doc);
	return 0;
}

/* tests/fuzz/fuzz_auth.c - host NUL path NUL config.json */
#include <jansson.h>

#include "base/json.h"
#include "fuzz.h"
#include "registry/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *host = fuzz_text(&data, &size), *path = fuzz_text(&data, &size);
	struct auth_answer answer = { .helper = NULL };
	cleanup(json_cleanup) json_t *doc = NULL;
	struct error err = { 0 };

	if (json_load_bytes((const char *)data, size, "f", &doc, &err) < 0 || !json_is_object(doc))
		return 0;
	if (auth_lookup(doc, "config.json", host, path, &answer, &err) == 0) {
		fuzz_must(!answer.helper || answer.helper_key);
		fuzz_must(!credentials_given(&answer.credentials) || answer.credentials.from);
	}
	auth_answer_done(&answer);
	return 0;
}

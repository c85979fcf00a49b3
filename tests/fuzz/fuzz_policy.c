/* tests/fuzz/fuzz_policy.c - a name, a signed text, and policy.json, each behind a NUL. */
#include "fuzz.h"
#include "transfer/policy.h"
#include "transfer/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *name = fuzz_text(&data, &size), *payload = fuzz_text(&data, &size);
	const struct policy_question q = {
		.transport = "docker",
		.name = name,
		.digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000",
	};
	cleanup(policy_cleanup) struct policy *p = NULL;
	const struct requirements *s;
	struct error err = { 0 };

	if (policy_parse((const char *)data, size, "f", &p, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	s = policy_find(p, "docker", name);
	fuzz_must(s && s->n > 0);
	for (size_t i = 0; i < s->n; i++)
		ignore_result(
			signature_payload_check(payload, strlen(payload), &s->items[i], &q, &err));
	return 0;
}

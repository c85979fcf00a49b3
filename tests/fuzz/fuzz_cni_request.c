/* tests/fuzz/fuzz_cni_request.c - the environment of a plugin: five texts. */
#include "fuzz.h"

#include "cni/request.h"

static char *texts[5];

static const char *get(const char *name)
{
	static const char *const names[] = { "CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME",
					     "CNI_NETNS", "CNI_ARGS" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return texts[i];
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_failure f = { .code = CNI_OK };
	struct cni_request q;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		texts[i] = fuzz_text(&data, &size);
	if (cni_request_read(get, &q, &f) < 0) {
		fuzz_must(f.code == CNI_ENVIRONMENT && f.err.text[0]);
	} else if (q.command == CNI_ADD || q.command == CNI_CHECK) {
		fuzz_must(q.netns && cni_name_is_valid(q.container));
		fuzz_must(cni_ifname_is_valid(q.ifname));
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	return 0;
}

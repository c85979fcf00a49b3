/* tests/fuzz/fuzz_cni_config.c - a network configuration from a hostile runtime or pod. */
#include "fuzz.h"

#include "cni/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_config c = { .name = NULL };
	struct cni_failure f = { .code = CNI_OK };

	if (cni_config_parse((const char *)data, size, &c, &f) < 0) {
		fuzz_must(f.code != CNI_OK);
		fuzz_must(f.err.text[0]);
		return 0;
	}
	fuzz_must(c.name && c.dns);
	fuzz_must(c.network.name[0]);
	for (size_t i = 0; i < c.network.nsubnets; i++)
		fuzz_must(ip_compare(&c.network.subnets[i].first, &c.network.subnets[i].last) <= 0);
	cni_config_done(&c);
	return 0;
}

/* tests/fuzz/fuzz_kernel.c - the header of a file that an image calls its kernel. */
#include "disk/bootable.h"
#include "disk/content.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = xmalloc(size + 1), version[KERNEL_VERSION_MAX];
	struct content c;

	if (size)
		memcpy(bytes, data, size);
	c = content_of_bytes(bytes, size);
	if (kernel_version(&c, version, NULL) == 0)
		fuzz_must(strlen(version) < KERNEL_VERSION_MAX && !strchr(version, ' '));
	content_done(&c);
	return 0;
}

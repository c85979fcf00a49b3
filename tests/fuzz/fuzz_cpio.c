/* tests/fuzz/fuzz_cpio.c - the initrd of a disk's boot partition. */
#include <sys/mman.h>

#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/tree_cpio.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autoclose int fd = memfd_create("initrd", MFD_CLOEXEC);
	const struct region at = { .fd = fd, .size = (int64_t)size };
	struct error err = { 0 };
	int r;

	fuzz_must(fd >= 0 && file_write_all(fd, data, size) == 0);
	r = filetree_add_cpio(t, &at, &err);
	fuzz_must(r == 0 || *err.text);
	filetree_number(t, 1, 2);
	return 0;
}

/* tests/fuzz/fuzz_btrfs.c - a disk whose root is a btrfs, and what is compressed in it. */
#include <sys/mman.h>
#include <sys/stat.h>

#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/tree_btrfs.h"
#include "fuzz.h"

#define BYTES_MAX (1U << 20)

static void read_contents(const struct filetree *t)
{
	for (size_t i = 0; i < t->norder; i++) {
		autofree char *bytes = NULL;
		size_t len;

		if (S_ISREG(t->order[i]->mode) && content_read(&t->order[i]->content, BYTES_MAX,
							       BYTES_MAX, &bytes, &len, NULL) == 0)
			fuzz_must(len == (size_t)t->order[i]->content.size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autoclose int fd = memfd_create("disk", MFD_CLOEXEC);
	const struct region at = { .fd = fd, .size = (int64_t)size };
	struct error err = { 0 };
	int r;

	fuzz_must(fd >= 0 && file_write_all(fd, data, size) == 0);
	r = filetree_add_btrfs(t, &at, NULL, &err);
	fuzz_must(r == 0 || *err.text);
	if (r == 0) {
		filetree_number(t, 1, 2);
		read_contents(t);
	}
	return 0;
}

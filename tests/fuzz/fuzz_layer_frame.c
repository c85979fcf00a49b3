/* tests/fuzz/fuzz_layer_frame.c - any bytes as a layer's frame; nothing outside its tree is read */
#include <sys/mman.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "image/frame.h"

#define OUTPUT_MAX (4U << 20)

static const char secret[] = "what lies outside of the tree";

struct seen {
	size_t len;
	char tail[sizeof(secret)]; /* the last bytes, for one that comes in two pieces */
};

static int look(void *data, const void *bytes, size_t len, struct error *err)
{
	struct seen *seen = data;
	size_t keep = sizeof(secret) - 1, whole = keep + len;
	autofree char *both = xmalloc(whole);

	memcpy(both, seen->tail, keep);
	memcpy(both + keep, bytes, len);
	fuzz_must(!memmem(both, whole, secret, sizeof(secret) - 1));
	memcpy(seen->tail, both + whole - keep, keep);
	seen->len += len;
	return seen->len > OUTPUT_MAX ? error_set(err, -EFBIG, "enough") : 0;
}

static void tree_new(const char *dir)
{
	autofree char *tree = xasprintf("%s/tree", dir), *inner = xasprintf("%s/tree/dir", dir);
	autofree char *link = xasprintf("%s/tree/link", dir), *up = xasprintf("%s/tree/up", dir);
	autofree char *pipe = xasprintf("%s/tree/pipe", dir);

	fuzz_must(mkdir(tree, 0755) == 0 && mkdir(inner, 0755) == 0);
	fuzz_must(symlink("../secret", link) == 0 && symlink("..", up) == 0);
	fuzz_must(mkfifo(pipe, 0600) == 0);
	fuzz_put(dir, "secret", secret, sizeof(secret) - 1);
	fuzz_put(dir, "tree/file", "content", 7);
	fuzz_put(dir, "tree/dir/inner", "inner", 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int tree = -1;
	autoclose int frame = memfd_create("frame", MFD_CLOEXEC);
	struct seen seen = { .len = 0 };
	struct error err = { 0 };

	/* The fuzzer learns what is looked for, and puts it into a piece of its own. */
	if (size && memmem(data, size, secret, sizeof(secret) - 1))
		return 0;
	if (tree < 0) {
		autofree char *path = xasprintf("%s/tree", fuzz_dir());

		tree_new(fuzz_dir());
		tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	fuzz_must(tree >= 0 && frame >= 0 && file_write_all(frame, data, size) == 0);
	if (frame_write(frame, tree, look, &seen, &err) < 0)
		fuzz_must(err.text[0]);
	return 0;
}

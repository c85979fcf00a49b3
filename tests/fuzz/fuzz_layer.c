/* tests/fuzz/fuzz_layer.c - any bytes as a layer; what lies beside its directory stays as it is */
#include <sys/mman.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "image/layer.h"
#include "image/stream.h"

static int list_lower(void *data, struct strv *ret, struct error *err)
{
	(void)err;
	strv_addf(ret, "%s/lower", (const char *)data);
	return 0;
}

static void apply(const char *dir, int tar, int into)
{
	cleanup(stream_cleanup) struct stream *stream = NULL;
	const struct stream_request sr = { .fd = tar, .size = -1, .keep_fd = -1, .stop_fd = -1 };
	struct layer_request req = { .dir_fd = into };
	struct error err = { 0 };
	struct layer_result result;
	int r;

	req.lower = list_lower;
	req.data = (void *)dir;
	r = stream_open(&sr, &stream, &err);
	if (r == 0)
		r = layer_apply(&req, stream, &result, &err);
	fuzz_must(r == 0 || err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *dir = fuzz_dir();
	autofree char *lower = xasprintf("%s/lower", dir), *into = xasprintf("%s/new", dir);
	autofree char *outside = xasprintf("%s/file", dir);
	autoclose int tar = memfd_create("layer", MFD_CLOEXEC), into_fd = -1;
	struct stat st;

	fuzz_must(tar >= 0 && file_write_all(tar, data, size) == 0);
	fuzz_must(dir_make_at(AT_FDCWD, lower, 0755, NULL) == 0);
	fuzz_must(dir_ensure_at(AT_FDCWD, into, 0755, &into_fd, NULL) == 0);
	fuzz_put(lower, "file", "below", 5);
	fuzz_put(dir, "file", "outside", 7);
	apply(dir, tar, into_fd);
	fuzz_must(stat(outside, &st) == 0 && st.st_nlink == 1 && st.st_size == 7);
	fuzz_must(dir_remove_at(AT_FDCWD, into, NULL) == 0);
	/* Nothing but the two files of before: else a name got out. */
	fuzz_must(unlink(outside) == 0 && dir_remove_at(AT_FDCWD, lower, NULL) == 0);
	fuzz_must(lstat(outside, &st) < 0 && stat(dir, &st) == 0 && st.st_nlink == 2);
	return 0;
}

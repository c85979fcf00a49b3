/* tests/fuzz/fuzz_manifest.c - manifest.json and index.json of a directory without blobs */
#include <unistd.h>

#include "base/db.h"
#include "fuzz.h"
#include "image/image.h"
#include "image/load.h"
#include "image/schema.h"

static void report(void *data, const char *name, const char *id)
{
	(void)data, (void)name, (void)id;
}

static struct db *open_db(void)
{
	static const struct db_schema *const schemas[] = { &image_schema, NULL };
	struct db *db = NULL;

	fuzz_must(db_open(":memory:", schemas, &db, NULL) == 0);
	return db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct db *db;
	struct load_request req = { .root = fuzz_dir(), .platform = "linux/amd64", .root_fd = -1 };
	autofree char *layout = xasprintf("%s/layout", req.root);
	autoclose int root = open(req.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name = size && data[0] == '[' ? "manifest.json" : "index.json";
	struct error err = { 0 };

	db = db ? db : open_db();
	fuzz_must(dir_make_at(AT_FDCWD, layout, 0755, NULL) == 0);
	fuzz_put(layout, name, data, size);
	fuzz_put(layout, "layer", data, size);
	fuzz_put(layout, "config", "{}", 2);
	req.path = layout;
	req.root_fd = root;
	req.report = report;
	if (image_load_archive(db, &req, &err) < 0)
		fuzz_must(err.text[0]);
	fuzz_must(dir_remove_at(AT_FDCWD, layout, NULL) == 0);
	return 0;
}

/* src/image/tar_out.c */
#include "image/tar_out.h"

#include "image/changes.h"
#include "image/package.h"

int tar_out(const char *path, const struct changes_request *req, int64_t newest_s,
	    struct error *err)
{
	const struct changes_tar options = { .newest_s = newest_s };
	cleanup(package_cleanup) struct package *p = NULL;
	int r = package_open(path, false, &p, err);

	if (r == 0)
		r = changes_write(req, &options, package_tar(p), err);
	return r < 0 ? r : package_publish(p, err);
}

/* src/disk/install.h - a kernel, and an init where there is none, by the image's own package
 * manager.
 *
 * It runs in a build container ("strake build"), whose result is an image that has both.  Debian,
 * Ubuntu, Alpine, Fedora and what says in os-release that it is like one of them.
 */
#ifndef DISK_INSTALL_H
#define DISK_INSTALL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct filetree;

/* What RUN is given, for what is in the tree; the caller frees.  -ENOTSUP: no family that we know;
 * package: the kernel's, NULL: the usual one.
 */
int install_script(const struct filetree *t, const char *package, bool has_init, char **ret,
		   struct error *err) must_check;

struct install_request {
	const char *what;            /* as "disk build" takes it */
	const char *root, *run_root; /* of the store; NULL: the usual ones */
	const char *script;
};

/* made: images that are nobody's, by ID, the last one with the kernel; install_forget() removes
 * them from the store.
 */
int install_run(const struct install_request *req, struct strv *made, struct error *err) must_check;
void install_forget(const struct install_request *req, const struct strv *made);

#endif

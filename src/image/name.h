/* src/image/name.h - giving names to images and taking them away, which changes nothing else. */
#ifndef IMAGE_NAME_H
#define IMAGE_NAME_H

#include "base/error.h"

struct db;
struct strv;

/* name as a person types it ("web", "web:2", "quay.io/a/web"); it may have been another's. */
int image_tag(struct db *db, int root_fd, const char *what, const char *name,
	      struct error *err) must_check;
/* The image stays, without a name if it was the last.  No names: all that it has.  report is told
 * each name that went.
 */
int image_untag(struct db *db, int root_fd, const char *what, char *const *names, size_t n,
		void (*report)(void *data, const char *text), void *data,
		struct error *err) must_check;

#endif

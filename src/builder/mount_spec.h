/* src/builder/mount_spec.h - the text of a RUN --mount:
 * "type=cache,target=/var/cache,sharing=locked". */
#ifndef BUILDER_MOUNT_SPEC_H
#define BUILDER_MOUNT_SPEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum mount_kind { MOUNT_BIND, MOUNT_CACHE, MOUNT_SECRET, MOUNT_SSH, MOUNT_TMPFS };
enum mount_sharing { SHARING_SHARED, SHARING_LOCKED, SHARING_PRIVATE };

struct mount_spec {
	enum mount_kind kind;
	char *from, *source, *target, *id; /* NULL if not given */
	char *env;                         /* a secret becomes this variable; NULL: a file */
	bool read_only, required;
	enum mount_sharing sharing;
	int64_t mode, uid, gid; /* -1: not given */
	uint64_t size;          /* of a tmpfs; 0: the kernel's */
};

/* Keys that the kind does not have are refused. */
int mount_spec_parse(const char *text, struct mount_spec *ret, struct error *err) must_check;
void mount_spec_done(struct mount_spec *spec);

/* "--secret id=NAME[,src=FILE|,env=NAME]", before anything needs it: it is one, and its file is
 * there.  A variable need not be, if no step does.
 */
int secret_check(const char *text, struct error *err) must_check;
/* The bytes, if text is about this id.  1: it is
 * another's. */
int secret_read(const char *text, const char *id, char **ret, size_t *ret_len,
		struct error *err) must_check;

#endif

/* src/engine/root_view.h - reading a container's files before its root is mounted.
 *
 * A root is a stack of directories as overlay would show them, the uppermost first.  Symbolic links
 * inside a layer are resolved within that layer, never on the host.
 */
#ifndef ENGINE_ROOT_VIEW_H
#define ENGINE_ROOT_VIEW_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

/* -ENOENT if no layer has it or an upper one hides it. */
int root_view_read(const struct strv *layers, const char *path, size_t max, char **ret,
		   struct error *err) must_check;

#define USER_GROUPS_MAX 256

struct user {
	uid_t uid;
	gid_t gid;
	size_t ngroups;
	gid_t groups[USER_GROUPS_MAX]; /* further ones, from /etc/group */
	char *home;                    /* from passwd, "/" if unknown; owned */
};

/* "web", "web:www", "1000", "1000:50", "" or NULL (root).  Names come from the container's own
 * passwd and group files, as Docker does; an unknown name is an error, an unknown number is not.
 */
int user_resolve(const struct strv *layers, const char *text, struct user *ret,
		 struct error *err) must_check;
/* One more group of it, a name or a number. */
int user_add_group(const struct strv *layers, const char *text, struct user *user,
		   struct error *err) must_check;
void user_done(struct user *user);

#endif

/* src/registry/registries.h - registries.conf: short names, mirrors, what is insecure or blocked.
 *
 * containers-registries.conf(5), version 2, with registries.conf.d.  A key that we do not know is
 * told by name in warnings; one that is wrong is an error.
 */
#ifndef REGISTRY_REGISTRIES_H
#define REGISTRY_REGISTRIES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

enum mirror_use { MIRROR_ALL, MIRROR_DIGEST_ONLY, MIRROR_TAG_ONLY };
enum short_mode { SHORT_ENFORCING, SHORT_PERMISSIVE, SHORT_DISABLED };

struct mirror {
	char *location;
	bool insecure;
	enum mirror_use use;
};

struct registry {
	char *prefix;   /* "quay.io", "quay.io/team", "*.example.com" */
	char *location; /* what stands there instead; NULL: the prefix */
	bool insecure, insecure_given, blocked;
	struct mirror *mirrors;
	size_t n;
};

struct registries {
	struct registry *items;
	size_t n, room;
	struct strv search; /* unqualified-search-registries */
	bool search_given;
	char *search_file; /* which file gave it */
	enum short_mode mode;
	json_t *aliases;
	struct strv warnings;
};

void registries_init(struct registries *r);
void registries_done(struct registries *r);

/* One file's text on top of what is there; hostile only in the fuzzer. */
int registries_add(struct registries *r, const char *bytes, size_t len, const char *what,
		   struct error *err) must_check;
/* path NULL: $CONTAINERS_REGISTRIES_CONF, then the user's, then the machine's; missing ones are
 * fine.
 */
int registries_load(struct registries *r, const char *path, struct error *err) must_check;

/* The entry with the longest prefix of name (host/path, perhaps with :tag or @digest), or NULL. */
const struct registry *registries_find(const struct registries *r, const char *name);
/* location put in the place of the prefix; heap. */
char *registry_rewrite(const struct registry *entry, const char *location, const char *name);

/* A name as typed; true if it names no registry, and then the names that it may mean, best first.
 * -ENOENT when there is nothing to try, -ENOTUNIQ when it may mean several and guessing is not
 * allowed.
 */
bool name_is_short(const char *typed);
int registries_expand(const struct registries *r, const char *typed, struct strv *ret,
		      struct error *err) must_check;

#endif

/* src/image/list.h - the images and indexes that are there, as rows: from the database alone, no
 * file is read unless a filter asks for labels.
 */
#ifndef IMAGE_LIST_H
#define IMAGE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct db;

struct listed {
	char id[65];
	char digest[65]; /* of its newest manifest, hex; "": it came without one */
	char *platform;
	char *created; /* as its config has it; "" */
	int64_t created_ns, loaded_ns;
	int64_t size;       /* of the files in its layers */
	int64_t containers; /* that are made of it */
	int64_t indexes;    /* that list it */
	bool is_index;      /* id is its digest, size that of the document */
	struct strv names;
};

struct image_list {
	struct listed *items; /* the newest loaded first */
	size_t n, room;
};

enum dangling { DANGLING_ANY, DANGLING_ONLY, DANGLING_NEVER };

/* What --filter asks for, all of it. */
struct image_filter {
	bool brief; /* digests and numbers of containers are not wanted: a third of the time */
	enum dangling dangling;
	int64_t until_ns;            /* made before; 0: any time */
	int64_t before_ns, since_ns; /* loaded before, after another image; 0: any time */
	char before_id[65], since_id[65];
	struct strv labels;     /* NAME or NAME=VALUE */
	struct strv references; /* patterns as fnmatch(3) for "web", "web:1"; any of them */
};

/* "dangling=true", "until=24h", "until=2026-01-01T00:00:00Z", "label=a=b", "before=IMAGE",
 * "since=IMAGE", "reference=web*".
 */
int image_filter_parse(struct db *db, int root_fd, const struct strv *texts,
		       struct image_filter *ret, struct error *err) must_check;
void image_filter_done(struct image_filter *f);

int image_list(struct db *db, int root_fd, const struct image_filter *filter,
	       struct image_list *ret, struct error *err) must_check;
void image_list_done(struct image_list *list);

/* Is this name ("docker.io/library/web:1") one that the pattern means? */
bool image_name_matches(const char *name, const char *pattern);

#endif

/* src/lab/yaml.h - a YAML document as a tree of values that know where they stand.
 *
 * Only yaml.c knows libfyaml.  A tree is bounded (YAML_SIZE_MAX bytes, YAML_VALUES_MAX values,
 * YAML_DEPTH_MAX deep), keys of a map are plain texts, each once; anchors and aliases are refused,
 * since a few of them can stand for millions of values.
 *
 * A reader remembers its first failure, the way a stream does: getters go on with harmless values,
 * and the caller looks at rd->r once.  A failure names the place: "lab.yaml:7:9: unknown key ...".
 */
#ifndef LAB_YAML_H
#define LAB_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define YAML_SIZE_MAX   (1U << 20) /* a lab of 1000 nodes written out has 100 KB */
#define YAML_VALUES_MAX 200000
#define YAML_DEPTH_MAX  16

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	unsigned line, column; /* from 1 */
	bool quoted;           /* a scalar in quotes: a text, whatever it looks like */
	char *text;            /* of a scalar */
	struct yaml **keys;    /* of a map: a scalar for each item */
	struct yaml **items;   /* of a list or map */
	size_t n, room;
	struct yaml *next; /* all values of a document, the root first */
};

/* what names the document in errors. */
int yaml_parse(const char *bytes, size_t len, const char *what, struct yaml **ret,
	       struct error *err) must_check;
void yaml_free(struct yaml *y);
DEFINE_CLEANUP(struct yaml *, yaml, yaml_free);

struct yaml_reader {
	const char *what; /* the document's name */
	struct error *err;
	int r; /* first failure, 0 so far */
};

/* Records a failure at a value; the first one wins. */
void yaml_fail(struct yaml_reader *rd, const struct yaml *at, const char *fmt, ...)
	printf_like(3, 4);

/* Every key of map must be one of keys (NULL-terminated), else the failure names the nearest one.
 * whose is such as "node h1".  A map that is none is a failure, too.
 */
void yaml_check_keys(struct yaml_reader *rd, const struct yaml *map, const char *const *keys,
		     const char *whose);

/* A member of a map; NULL if it is not there (or map is NULL or no map). */
const struct yaml *yaml_get(const struct yaml *map, const char *key);

/* Values as what is wanted; name is what messages call it.  NULL gives the fallback. */
const char *yaml_text(struct yaml_reader *rd, const struct yaml *y, const char *name);
bool yaml_bool(struct yaml_reader *rd, const struct yaml *y, const char *name, bool fallback);
uint64_t yaml_number(struct yaml_reader *rd, const struct yaml *y, const char *name, uint64_t min,
		     uint64_t max, uint64_t fallback);
/* The items of a list; a scalar stands for a list of itself, and a map fails.  item is 0..n-1. */
size_t yaml_count(struct yaml_reader *rd, const struct yaml *y, const char *name);
const struct yaml *yaml_item(const struct yaml *y, size_t i);

#endif

/* src/builder/annotation.h - the text of an --annotation, read: what it is put on, and what. */
#ifndef BUILDER_ANNOTATION_H
#define BUILDER_ANNOTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

enum annotation_place {
	ON_MANIFEST = 1,
	ON_INDEX = 2,
	ON_DESCRIPTOR = 4,       /* of the manifest, in the index, or in a layout */
	ON_INDEX_DESCRIPTOR = 8, /* of the index, in a layout */
};

struct annotation {
	unsigned places; /* annotation_place, all that are meant */
	char *platform;  /* only of this one; NULL */
	char *text;      /* NAME=VALUE */
};

struct annotations {
	struct annotation *items;
	size_t n, room;
};

/* "NAME=VALUE", "index:NAME=VALUE", "manifest[linux/arm64],manifest-descriptor:NAME=VALUE". */
int annotation_parse(struct annotations *list, const char *text, struct error *err) must_check;
void annotations_done(struct annotations *list);
/* Adds the texts that go there.  platform: of a manifest; NULL for an index. */
void annotations_for(const struct annotations *list, enum annotation_place place,
		     const char *platform, struct strv *ret);
bool annotations_have(const struct annotations *list, enum annotation_place place);

#endif

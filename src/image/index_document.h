/* src/image/index_document.h - the text of an index, as JSON that is changed entry by entry.
 *
 * Nothing here touches a file or a row.
 */
#ifndef IMAGE_INDEX_DOCUMENT_H
#define IMAGE_INDEX_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

#define INDEX_MEDIA_TYPE "application/vnd.oci.image.index.v1+json"

/* What is said of an entry besides what it is; NULL: stays as it is. */
struct index_note {
	const char *os, *arch, *variant, *os_version;
	const struct strv *os_features, *annotations; /* NAME=VALUE; NAME= takes one away */
};

struct index_entry {
	const char *digest; /* hex */
	const char *media_type;
	int64_t size;
	const char *platform; /* "linux/arm64/v8", "" */
};

json_t *index_document_new(void);
/* One that is listed already stays where it is. */
int index_document_add(json_t *doc, const struct index_entry *entry, struct error *err) must_check;
/* digest: hex, of an entry; NULL: the index itself, which has annotations alone. */
int index_document_annotate(json_t *doc, const char *digest, const struct index_note *note,
			    struct error *err) must_check;
int index_document_remove(json_t *doc, const char *digest, struct error *err) must_check;
/* The entry whose digest starts with this: its whole digest (borrowed), or NULL. */
const char *index_document_find(const json_t *doc, const char *start);

#endif

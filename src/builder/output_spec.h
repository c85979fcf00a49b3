/* src/builder/output_spec.h - the text of an --output, read. */
#ifndef BUILDER_OUTPUT_SPEC_H
#define BUILDER_OUTPUT_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

enum output_type {
	OUTPUT_IMAGE,    /* in the store */
	OUTPUT_REGISTRY, /* pushed */
	OUTPUT_OCI,      /* an OCI layout, as an archive unless is_dir */
	OUTPUT_DOCKER,   /* what docker save writes */
	OUTPUT_TAR,      /* the files */
	OUTPUT_LOCAL,    /* the files in a directory */
};

struct output {
	enum output_type type;
	char *dest;        /* "-": standard output; NULL for image and registry */
	struct strv names; /* in place of --tag */
	bool is_dir;       /* oci: tar=false */
	bool push;         /* image: to a registry, too */
	char *compression; /* "gzip", "zstd", "none"; NULL */
};

struct outputs {
	struct output *items;
	size_t n, room;
};

/* "type=oci,dest=FILE", or a directory's name, or "-"; in fields that hold commas "..." as in CSV.
 */
int output_parse(struct outputs *list, const char *text, struct error *err) must_check;
void output_add(struct outputs *list, enum output_type type);
void outputs_done(struct outputs *list);
/* Any of them writes there. */
bool outputs_use_stdout(const struct outputs *list);
bool outputs_have(const struct outputs *list, enum output_type type);

/* The fields of a list as CSV has it: a,"b,c" are two. */
int csv_split(const char *text, struct strv *ret) must_check;

#endif

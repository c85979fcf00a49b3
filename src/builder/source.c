/* src/builder/source.c */
#include "builder/source.h"

int source_parse(const char *bytes, size_t len, const char *name, struct source *ret,
		 struct fault *ret_fault, struct error *err)
{
	int r = containerfile_parse(bytes, len, name, &ret->file, ret_fault, err);

	return r < 0 ? r : instructions_parse(&ret->file, name, &ret->all, ret_fault, err);
}

void source_done(struct source *source)
{
	instructions_done(&source->all);
	containerfile_done(&source->file);
}

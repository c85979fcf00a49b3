/* tests/fuzz/fuzz_spec.c */
#include "fuzz.h"
#include "runtime/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;
	struct error err = { 0 };
	int r = spec_parse((const char *)data, size, "/bundle", &spec, &err);

	fuzz_must((r == 0) == (spec != NULL) && (r == 0 || err.text[0]));
	if (!spec)
		return 0;
	fuzz_must(spec->root[0] == '/' && spec_has_new(spec, CLONE_NEWNS));
	fuzz_must(!spec->process || (spec->process->args.n > 0 && spec->process->cwd[0] == '/'));
	for (size_t i = 0; i < spec->nmounts; i++)
		fuzz_must(spec->mounts[i].destination[0] == '/');
	for (size_t i = 0; i < spec->ndevices; i++)
		fuzz_must(spec->devices[i].path[0] == '/');
	return 0;
}

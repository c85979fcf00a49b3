/* tests/fuzz/fuzz_registries.c - a name, and registries.conf behind a NUL. */
#include "fuzz.h"
#include "registry/registries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *name = fuzz_text(&data, &size);
	const struct registry *entry;
	struct strv names = { 0 };
	struct error err = { 0 };
	struct registries r;

	registries_init(&r);
	if (registries_add(&r, (const char *)data, size, "f", &err) < 0)
		fuzz_must(err.text[0]);
	entry = registries_find(&r, name);
	if (entry) {
		autofree char *there =
			registry_rewrite(entry, entry->location ? entry->location : "x", name);

		fuzz_must(there);
	}
	if (name_is_short(name) && registries_expand(&r, name, &names, &err) == 0)
		fuzz_must(names.n > 0);
	strv_done(&names);
	registries_done(&r);
	return 0;
}

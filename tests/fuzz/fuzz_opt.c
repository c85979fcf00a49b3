/* tests/fuzz/fuzz_opt.c - arguments, NUL between them */
#include "base/opt.h"
#include "fuzz.h"

#define ARGS_MAX 64

struct sample {
	bool flag, rm;
	int count;
	const char *name;
	struct strv list;
	uint64_t size;
};

static const struct opt rows[] = {
	OPT(struct sample, flag, "flag", 'f', NULL, "a flag"),
	OPT(struct sample, rm, "rm", 0, NULL, "another"),
	OPT(struct sample, count, "count", 'n', "N", "a number"),
	OPT(struct sample, name, "name", 0, "NAME", "a text"),
	OPT(struct sample, list, "list", 'e', "ITEM", "several"),
	OPT(struct sample, size, "size", 'm', "SIZE", "a size"),
	{ 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *args[ARGS_MAX + 1] = { NULL }, *argv[ARGS_MAX + 1];
	struct sample s = { .flag = false };
	const struct opt_set sets[] = { { rows, &s }, { NULL, NULL } };
	enum opt_flags flags = size && data[0] == '1' ? OPT_FIRST_OPERAND : OPT_ANYWHERE;
	struct error err = { 0 };
	int n = 0, operands;

	while (size > 0 && n < ARGS_MAX)
		args[n++] = fuzz_text(&data, &size);
	memcpy(argv, args, sizeof(argv));
	operands = opt_parse(sets, flags, n, argv, &err);
	fuzz_must(operands <= n && (operands >= 0 || err.text[0]));
	for (int i = 0; i < operands; i++)
		fuzz_must(argv[i]);
	fuzz_must(operands < 0 || !argv[operands]);
	opt_done(rows, &s);
	for (int i = 0; i < n; i++)
		free(args[i]);
	return 0;
}

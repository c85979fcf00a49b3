/* tests/fuzz/fuzz_number.c */
#include <stdio.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/number.h"
#include "fuzz.h"

/* What is taken is written back as the same number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size);
	char back[NUMBER_SIZE_LEN];
	uint64_t value, again;
	int64_t number;
	unsigned octal;

	if (number_parse(text, UINT64_MAX, &value) == 0) {
		(void)snprintf(back, sizeof(back), "%llu", (unsigned long long)value);
		fuzz_must(number_parse(back, value, &again) == 0 && again == value);
	}
	if (number_parse_signed(text, -1000, 1000, &number) == 0)
		fuzz_must(number >= -1000 && number <= 1000);
	if (number_parse_octal(text, 07777, &octal) == 0)
		fuzz_must(octal <= 07777);
	if (number_parse_size(text, &value) == 0) {
		fuzz_must(value <= INT64_MAX);
		number_format_size(value, back);
	}
	if (number_parse_fixed(text, 9, &value) == 0)
		fuzz_must(text[strspn(text, "0123456789.")] == '\0');
	if (name_is_valid(text))
		fuzz_must(!strchr(text, '/') && strcmp(text, "..") != 0 && strcmp(text, ".") != 0);
	ignore_result(clock_parse(text, &number));
	return 0;
}

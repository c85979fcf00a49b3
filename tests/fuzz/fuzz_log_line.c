/* tests/fuzz/fuzz_log_line.c */
#include "base/clock.h"
#include "fuzz.h"
#include "monitor/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_line line;
	char text[CLOCK_TEXT_LEN];
	int64_t again;

	if (log_parse((const char *)data, size, &line) < 0)
		return 0;
	fuzz_must(line.len < size && line.text + line.len == (const char *)data + size);
	clock_format(line.time_ns, text);
	fuzz_must(clock_parse(text, &again) == 0 && again == line.time_ns);
	return 0;
}

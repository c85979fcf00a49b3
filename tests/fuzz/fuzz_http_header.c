/* tests/fuzz/fuzz_http_header.c */
#include <string.h>

#include "fuzz.h"
#include "registry/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size);
	struct challenges c = { .n = 0 };
	int64_t first, whole, n;
	char *next;

	challenges_parse(text, &c);
	fuzz_must(c.n <= CHALLENGES_MAX);
	challenges_parse(text, &c);
	fuzz_must(c.n <= CHALLENGES_MAX);
	challenges_done(&c);
	next = header_link_next(text);
	fuzz_must(!next || *next);
	free(next);
	if (header_retry_after(text, 1700000000, &n) == 0)
		fuzz_must(n >= 0 && n <= 86400);
	if (header_content_range(text, &first, &whole) == 0)
		fuzz_must(first >= 0 && (whole == -1 || whole > first));
	if (header_upload_range(text, &n) == 0)
		fuzz_must(n >= 0 && n != 1);
	if (header_date(text, &n) == 0)
		fuzz_must(n > -100000000000LL && n < 400000000000LL);
	next = header_disposition_name(text);
	fuzz_must(!next || (*next && !strchr(next, '/')));
	free(next);
	return 0;
}

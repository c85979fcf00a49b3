/* What a lab's name server is asked, and what one answers. */
#include "fuzz.h"

#include "lab/lookup.h"
#include "lab/name_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char hosts[] = "10.9.0.1 h1 www.example.net\nfd00::1 h1\n";
	uint8_t answer[512];
	struct lookup l = { .name = "h1" };
	uint16_t id = size < 2 ? 0 : (uint16_t)(data[0] << 8 | data[1]);

	(void)name_server_answer(hosts, data, size, answer, sizeof(answer));
	if (lookup_parse(data, size, id, &l) == 0)
		fuzz_must(l.n <= LOOKUP_ADDRESSES_MAX);
	return 0;
}

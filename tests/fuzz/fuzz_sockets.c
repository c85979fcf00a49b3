/* tests/fuzz/fuzz_sockets.c - what /proc/PID/net/PROTOCOL holds */
#include "engine/surface.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const protocols[] = { "tcp", "tcp6", "udp", "udp6" };
	autofree char *text = fuzz_text(&data, &size);
	struct strv found = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		sockets_parse(text, protocols[i], &found);
	for (size_t i = 0; i < found.n; i++)
		fuzz_must(strrchr(found.items[i], ':'));
	strv_done(&found);
	return 0;
}

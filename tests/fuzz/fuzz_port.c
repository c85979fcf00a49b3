/* tests/fuzz/fuzz_port.c */
#include "fuzz.h"
#include "network/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size), *formatted = NULL;
	struct error err = { 0 };
	struct port port;

	if (port_parse(text, &port, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	fuzz_must(port.container && port.count > 0 &&
		  (port.count <= PORT_SHIFT_MAX || port.host == port.container));
	fuzz_must(port.container + port.count - 1 <= UINT16_MAX);
	fuzz_must(!port.host || port.host + port.count - 1 <= UINT16_MAX);
	formatted = port_format(&port);
	fuzz_must(strstr(formatted, "->"));
	return 0;
}

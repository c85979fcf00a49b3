/* tests/fuzz/fuzz_machine_dhcp.c - answers of whoever calls itself a DHCP server. */
#include "disk/machine/dhcp.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct dhcp_lease lease;

	if (dhcp_parse(data, size, 0x12345678, mac, &lease) == 0)
		return 0;
	fuzz_must(lease.ndns <= DHCP_DNS_MAX);
	fuzz_must(!strpbrk(lease.domain, "\n\r \t/"));
	return 0;
}

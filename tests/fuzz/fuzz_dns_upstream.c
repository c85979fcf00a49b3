/* tests/fuzz/fuzz_dns_upstream.c - a resolv.conf */
#include "fuzz.h"
#include "network/dns_upstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const avoid[] = { "10.0.0.1", NULL };
	autofree char *text = fuzz_text(&data, &size);
	struct dns_servers servers;

	dns_servers_parse(text, avoid, &servers);
	fuzz_must(servers.n <= DNS_SERVERS_MAX);
	for (size_t i = 0; i < servers.n; i++) {
		char address[INET6_ADDRSTRLEN];

		fuzz_must(dns_address_format(&servers.list[i], address));
		fuzz_must(strcmp(address, avoid[0]) != 0);
	}
	return 0;
}

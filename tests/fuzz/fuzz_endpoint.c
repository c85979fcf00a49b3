/* tests/fuzz/fuzz_endpoint.c - what a user says of networks: --network, --route, rates, addresses
 */
#include "fuzz.h"
#include "network/create.h"
#include "network/endpoint.h"
#include "network/holder.h"
#include "network/network.h"
#include "network/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(&data, &size);
	struct endpoint_option option = { .text = NULL };
	struct network_route route;
	struct network network = { .id = 0 };
	struct network_options options = { .mtu = 0 };
	struct error err = { 0 };
	uint64_t rate = 0;

	if (endpoint_option_parse(text, &option, &err) == 0)
		fuzz_must(option.req.network[0]);
	else
		fuzz_must(err.text[0]);
	endpoint_option_done(&option);
	if (rate_parse(text, &rate, NULL) == 0)
		fuzz_must(rate >= 8000);
	if (option_parse_route(text, &route, NULL) == 0)
		fuzz_must(route.to.ip.family == route.via.family);
	strv_add(&options.opts, text);
	if (option_apply(&options, &network, &err) == 0)
		fuzz_must(network.opts.n == 1);
	network_done(&network);
	strv_done(&options.opts);
	(void)!holder_parse_line(text, 80, IPPROTO_TCP);
	return 0;
}

/* tests/fuzz/fuzz_dns_records.c - a change of names: all of it or nothing. */
#include "fuzz.h"
#include "network/dns_records.h"

static void look(void *data, const struct dns_endpoint *e)
{
	size_t *n = data;

	for (const char *p = e->addresses; *p; p += strlen(p) + 1)
		fuzz_must(strlen(p) < 46);
	for (const char *p = e->names; *p; p += strlen(p) + 1)
		fuzz_must(strlen(p) < 254 && !strpbrk(p, " \n,"));
	*n += 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char first[] = "add red c1 10.0.0.2 web -\nend\n";
	struct dns_records *records = dns_records_new();
	struct dns_view view;
	size_t n = 0;

	fuzz_must(dns_records_apply(records, first, sizeof(first) - 1, NULL) == 0);
	if (dns_records_apply(records, (const char *)data, size, NULL) < 0)
		fuzz_must(dns_records_count(records, "red") == 1);
	view = dns_view_of(records, "red", "10.0.0.2");
	fuzz_must(dns_view_name(&view, "web", NULL, look, &n) == n);
	dns_records_free(records);
	return 0;
}

/* src/lab/pcap.c */
#include "lab/pcap.h"

#define MAGIC_NS      0xa1b23c4dU
#define LINK_ETHERNET 1U
#define SNAP_LEN      262144U

/* In the machine's own order of bytes: the magic number tells readers which. */
static void put(FILE *to, const void *bytes, size_t len)
{
	(void)fwrite(bytes, len, 1, to);
}

void pcap_start(FILE *to)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snap_len, link;
	} head = { MAGIC_NS, 2, 4, 0, 0, SNAP_LEN, LINK_ETHERNET };

	_Static_assert(sizeof(head) == PCAP_HEAD_LEN, "as the format has it");
	put(to, &head, sizeof(head));
}

void pcap_frame(FILE *to, int64_t ns, const void *bytes, uint32_t len, uint32_t wire_len)
{
	const uint32_t head[] = { (uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000), len,
				  wire_len };

	put(to, head, sizeof(head));
	put(to, bytes, len);
}

/* tests/fuzz/fuzz_why_packet.c */
#include "base/buf.h"
#include "base/strv.h"
#include "fuzz.h"
#include "why/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strv words = { 0 };
	struct error err = { 0 };
	struct packet packet;

	strv_take(&words, fuzz_text(&data, &size));
	if (packet_parse(&words, &packet, &err) == 0) {
		cleanup(buf_done) struct buf text = BUF_INIT(4096);

		packet_format(&packet, &text);
		fuzz_must(packet_has(&packet, FIELD_FAMILY) && text.len > 0);
	} else {
		fuzz_must(err.text[0]);
	}
	strv_done(&words);
	return 0;
}

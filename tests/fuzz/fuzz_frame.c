/* tests/fuzz/fuzz_frame.c */
#include "fuzz.h"
#include "monitor/protocol.h"

/* What is parsed is written again in the same bytes, and a part of it is never a whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;
	int n;

	while ((n = frame_parse(data, size, &frame)) > 0) {
		struct buf again = BUF_INIT(FRAME_BYTES_MAX + FRAME_HEADER_LEN);
		struct frame part;

		fuzz_must((size_t)n <= size && frame.len <= FRAME_BYTES_MAX);
		frame_add(&again, frame.type, frame.bytes, frame.len);
		fuzz_must(again.len == (size_t)n && memcmp(again.data, data, again.len) == 0);
		fuzz_must(frame_parse(data, (size_t)n - 1, &part) == 0);
		buf_done(&again);
		data += n;
		size -= (size_t)n;
	}
	fuzz_must(n == 0 || n == -EBADMSG);
	return 0;
}

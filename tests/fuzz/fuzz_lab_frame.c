/* tests/fuzz/fuzz_lab_frame.c */
#include "fuzz.h"
#include "lab/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(65536);
	struct frame f, inner;

	frame_decode(data, size, &f);
	frame_decode_inner(data, size, &inner);
	frame_describe(&f, &text);
	fuzz_must(text.len > 0 && inner.what != FRAME_VXLAN);
	buf_reset(&text);
	frame_nesting(&f, &text);
	fuzz_must(buf_text(&text)[text.len - 1] == ')');
	fuzz_must(!f.payload || (f.payload >= data && f.payload + f.payload_len <= data + size));
	buf_done(&text);
	return 0;
}

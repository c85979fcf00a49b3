/* tests/fuzz/fuzz_json.c */
#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct error err = { 0 };
	struct strv list = { 0 };
	struct json_reader rd;
	struct json_place place;
	const json_t *inner;

	if (json_load_bytes((const char *)data, size, "fuzz", &doc, &err) < 0) {
		fuzz_must(err.text[0]);
		return 0;
	}
	json_reader_init(&rd, "fuzz", &err);
	(void)json_need_string(&rd, doc, "s");
	(void)json_read_bool(&rd, doc, "b", false);
	(void)json_read_int(&rd, doc, "i", -5, 5, 0);
	inner = json_read_object(&rd, doc, "o");
	place = json_enter(&rd, "o");
	json_read_strings(&rd, inner, "l", &list);
	json_leave(&rd, place);
	fuzz_must((rd.r == 0 || rd.r == -EBADMSG) && strcmp(rd.path, "fuzz") == 0);
	fuzz_must(rd.r == 0 || err.text[0]);
	strv_done(&list);
	return 0;
}

/* tests/fuzz/fuzz_why_nft.c */
#include "base/buf.h"
#include "base/json.h"
#include "fuzz.h"
#include "why/eval.h"
#include "why/lint.h"
#include "why/nft_read.h"
#include "why/ruleset.h"
#include "why/words.h"

/* Whatever is accepted can be looked at, told, and gone through. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct packet packet = { .way = WAY_IN };
	struct findings findings;
	struct error err = { 0 };
	struct ruleset rs;
	struct check check;
	int r;

	if (json_load_bytes((const char *)data, size, "rules", &doc, &err) < 0)
		return 0;
	ruleset_init(&rs);
	r = nft_read(&rs, doc, "rules", &err);
	if (r == 0)
		r = ruleset_finish(&rs, &err);
	fuzz_must(r == 0 || err.text[0]);
	if (r == 0) {
		lint(&rs, NULL, 0, &findings);
		findings_done(&findings);
		packet_set(&packet, FIELD_FAMILY, 2);
		check_run(&rs, &packet, NULL, &check);
		check_done(&check);
	}
	for (size_t i = 0; r == 0 && i < rs.n; i++)
		for (size_t k = 0; k < rs.tables[i]->nchains; k++)
			for (size_t n = 0; n < rs.tables[i]->chains[k]->n; n++) {
				cleanup(buf_done) struct buf text = BUF_INIT(1U << 16);

				words_rule(&rs.tables[i]->chains[k]->rules[n], &text);
			}
	ruleset_done(&rs);
	return 0;
}

/* src/cmd/why_how.c - strake why how */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "cmd/cmd.h"
#include "why/wish.h"

#define TEXT_MAX 4096

extern const struct cmd cmd_why_how;

/* One word in quotes is as good as many. */
static void split(int argc, char **argv, struct strv *ret)
{
	for (int i = 0; i < argc; i++)
		for (const char *at = argv[i]; *at; at += strspn(at, " ")) {
			size_t len = strcspn(at, " ");

			if (len > 0)
				strv_addf(ret, "%.*s", (int)len, at);
			at += len;
		}
}

static int how_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	cleanup(buf_done) struct buf iptables = BUF_INIT(TEXT_MAX), nft = BUF_INIT(TEXT_MAX);
	struct strv words = { 0 }, lines = { 0 };
	struct wish wish;
	int r;

	(void)globals;
	(void)data;
	split(argc, argv, &words);
	r = wish_parse(&words, &wish, err);
	if (r == 0) {
		wish_iptables(&wish, &iptables);
		wish_nft(&wish, &nft);
		wish_explain(&wish, &lines);
		(void)printf("with iptables:  %s\nwith nftables:  %s\n", buf_text(&iptables),
			     buf_text(&nft));
		for (size_t i = 0; i < lines.n; i++)
			(void)printf("- %s\n", lines.items[i]);
	}
	strv_done(&words);
	strv_done(&lines);
	return r;
}

const struct cmd cmd_why_how = {
	.name = "how",
	.operands = "WISH...",
	.help = "Tell the rule that does what is wished",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = how_run,
};

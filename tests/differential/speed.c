/* tests/differential/speed.c - usage: why-speed RULES
 *
 * Rules evaluated in a second on one core: for bench/why.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/strv.h"
#include "why/eval.h"
#include "why/load.h"

#define LEAST_MS 500

int main(int argc, char **argv)
{
	struct ruleset rs = { 0 };
	struct strv words = { 0 };
	struct error err = { 0 };
	struct packet packet;
	uint64_t evaluated = 0;
	int64_t begin;
	int r;

	if (argc != 2)
		return 2;
	strv_add(&words, "in eth0 out eth1 tcp from 192.0.2.9:5 to 192.0.2.1:80");
	r = load_files(&rs, argv + 1, 1, &err);
	if (r == 0)
		r = packet_parse(&words, &packet, &err);
	if (r < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	begin = clock_monotonic_ms();
	do {
		struct check check;

		check_run(&rs, &packet, NULL, &check);
		evaluated += check.evaluated;
		check_done(&check);
	} while (clock_monotonic_ms() - begin < LEAST_MS);
	(void)printf("check: %.1f million rules a second\n",
		     (double)evaluated / (double)(clock_monotonic_ms() - begin) / 1000.0);
	ruleset_done(&rs);
	strv_done(&words);
	return 0;
}

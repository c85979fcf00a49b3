/* src/lab/checks.h - what a lab's file claims, tried: "checks:". */
#ifndef LAB_CHECKS_H
#define LAB_CHECKS_H

#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "lab/lab.h"

struct check_result {
	char *title; /* "reach h1, h2" */
	bool ok;
	char *reason; /* when it is not; NULL */
};

struct check_results {
	struct check_result *items;
	size_t n, failed;
};

/* In the order of the file.  A check that cannot be tried (a node that it names has no address) is
 * an error.
 */
int checks_run(struct lab *lab, struct check_results *ret, struct error *err) must_check;
void check_results_done(struct check_results *results);
/* As TAP: https://testanything.org */
void check_results_print(const struct check_results *results, FILE *to);
json_t *check_results_json(const struct check_results *results);

#endif

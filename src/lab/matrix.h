/* src/lab/matrix.h - who reaches whom, each pair tried, and why not. */
#ifndef LAB_MATRIX_H
#define LAB_MATRIX_H

#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "lab/diagnose.h"
#include "lab/probe.h"

struct matrix {
	struct lab *lab;
	size_t *nodes; /* that take part */
	size_t n;
	struct ping *pings; /* row by row, without the diagonal */
	size_t n_pings;
	struct verdict *verdicts; /* of each ping; cause NONE: it was answered */
	size_t n_failed;
	struct acquainted *known; /* of a large lab */
};

enum matrix_flags { MATRIX_HOSTS = 0, MATRIX_ALL = 1, MATRIX_IPV6 = 2 };
int matrix_observe(struct lab *lab, unsigned flags, struct matrix *ret,
		   struct error *err) must_check;
void matrix_done(struct matrix *m);
void matrix_print(const struct matrix *m, FILE *to);
json_t *matrix_json(const struct matrix *m);

#endif

/* src/lab/matrix.h - who reaches whom, each pair tried, and why not. */
#ifndef LAB_MATRIX_H
#define LAB_MATRIX_H

#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "lab/diagnose.h"
#include "lab/probe.h"

/* What one node's name server tells it of the others. */
struct matrix_name {
	size_t from,
		about; /* about: the first that is not right, else the last that was asked for */
	struct verdict verdict; /* cause NONE: all right */
};

struct matrix {
	struct lab *lab;
	size_t *nodes; /* that take part */
	size_t n;
	struct ping *pings; /* row by row, without the diagonal */
	size_t n_pings;
	struct verdict *verdicts; /* of each ping; cause NONE: it was answered */
	size_t n_failed;
	struct matrix_name *names; /* of each node that asks a name server */
	size_t n_names, n_unresolved;
	struct acquainted *known; /* of a large lab */
};

enum matrix_flags { MATRIX_HOSTS = 0, MATRIX_ALL = 1, MATRIX_IPV6 = 2 };
int matrix_observe(struct lab *lab, unsigned flags, struct matrix *ret,
		   struct error *err) must_check;
void matrix_done(struct matrix *m);
void matrix_print(const struct matrix *m, FILE *to);
json_t *matrix_json(const struct matrix *m);

#endif

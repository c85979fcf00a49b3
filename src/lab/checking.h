/* src/lab/checking.h - between the files that try what a lab's file claims: one check at a time.
 *
 * A kind's function returns whether it holds; when it does not, it has said why with
 * checking_failed(), or yaml_fail() where the check cannot be tried.
 */
#ifndef LAB_CHECKING_H
#define LAB_CHECKING_H

#include "lab/diagnose.h"
#include "lab/probe.h"
#include "lab/yaml.h"

struct checking {
	struct lab *lab;
	const struct lab_check *check;
	struct diagnosis d;
	struct prober *prober;
	struct yaml_reader rd;
	char *reason;       /* of the first thing that is not so */
	struct domains now; /* of the last observation, good until something is changed */
	bool has_domains;
};

const struct topology *checking_lab(const struct checking *c);
const char *checking_name(const struct checking *c, size_t node);
/* Takes the reason; false. */
bool checking_failed(struct checking *c, char *reason);

/* What stands beside the kind. */
const struct yaml *checking_key(const struct checking *c, const char *name);
const char *checking_text(struct checking *c, const char *name);
/* What is named in it. */
bool checking_node(struct checking *c, const struct yaml *y, size_t *ret);
bool checking_end(struct checking *c, const struct yaml *y, struct link_end *ret);
bool checking_address(struct checking *c, const struct yaml *at, size_t from, size_t node,
		      struct ip *ret);
/* Why q is not reached, as of now; false: it could not be found out. */
bool checking_diagnose(struct checking *c, const struct question *q, struct verdict *v);

/* check_reach.c */
bool check_reach(struct checking *c);
bool check_no_reach(struct checking *c);
/* check_domains.c */
bool check_same_domain(struct checking *c);
bool check_domains(struct checking *c);

#endif

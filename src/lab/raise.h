/* src/lab/raise.h - a topology becomes namespaces, links, addresses, routes.
 *
 * All is made by the calling process and held by its descriptors alone: until somebody else holds
 * them, its end is the lab's end.  Interface i of a node has the index i + LAB_INDEX_BASE there.
 */
#ifndef LAB_RAISE_H
#define LAB_RAISE_H

#include "kernel/netns.h"
#include "kernel/wire.h"
#include "lab/lab.h"

#define LAB_INDEX_BASE 16 /* below are lo, and what some kernels put into each namespace */

struct raised {
	const struct topology *topology;
	struct netns *ns; /* by node */
	char **names;     /* LAB-NODE, as "ip netns" would know it */
	enum lab_means vlan, impair;
	struct netns behind; /* inner ends of relayed cables, ends of loose ones; or not made */
	char *behind_name;
};

int raise_lab(const struct topology *t, struct raised *ret, struct error *err) must_check;
void raised_done(struct raised *raised);

static inline int interface_index(size_t i)
{
	return (int)i + LAB_INDEX_BASE;
}
struct wire_place raised_place(const struct raised *raised, size_t node);
/* "ip netns exec LAB-NODE ", for narration; the caller frees. */
char *raised_where(const struct raised *raised, size_t node);

/* Sets a parameter of a node's network stack; path is below /proc/sys/net. */
int raised_put(const struct raised *raised, size_t node, const char *value, struct error *err,
	       const char *path, ...) printf_like(5, 6) must_check;

#endif

/* tests/fuzz/fuzz_lab_topology.c */
#include "fuzz.h"
#include "lab/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct topology *t = NULL;
	struct error err = { 0 };
	int r = topology_parse((const char *)data, size, "lab.yaml", &t, &err);

	fuzz_must(r < 0 ? err.text[0] && !t : t && t->n_nodes > 0);
	for (size_t i = 0; r == 0 && i < t->n_links; i++)
		for (int side = 0; side < 2; side++) {
			const struct link_end *end = &t->links[i].ends[side];

			fuzz_must(end->node < t->n_nodes);
			fuzz_must(end->interface < t->nodes[end->node].n_interfaces);
			fuzz_must(link_end_interface(t, end)->link == i);
		}
	topology_free(t);
	return 0;
}

/* src/lab/lab.h - a lab that is up: who holds it, and how to get into its nodes.
 *
 * All that a lab is lives in network namespaces that one process holds open, its keeper, which is
 * also process 1 of a process namespace: every program started in a node is in it.  When the keeper
 * dies, the kernel takes programs, namespaces and links along.  What is left is a directory,
 *	RUN_ROOT/labs/NAME/lab.yaml	the file, as it was when the lab was raised
 *			   state.json	the keeper's pid and start time, the descriptors it holds
 *			   hosts, hosts.NODE, resolv.NODE	see names.h
 * which is no lab without its keeper: the next command that looks removes it.
 *
 * Whoever raises, takes down or changes a lab holds a lock on labs/NAME.lock meanwhile.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"
#include "lab/topology.h"

/* How a thing that a kernel may lack is made: said by "up" and "show", recorded in state.json. */
enum lab_means {
	MEANS_NOT_NEEDED,
	MEANS_KERNEL, /* bridge VLAN filtering, 802.1Q links; netem */
	MEANS_BUILT,  /* a bridge for each VLAN and BPF programs for the tags; a relay process */
};

/* "the kernel's own" */
const char *lab_means_text(enum lab_means means);

struct lab {
	struct topology *topology;
	char *dir;             /* RUN_ROOT/labs/NAME */
	char *root, *run_root; /* as they were given when it was raised; NULL */
	pid_t keeper;
	uint64_t keeper_start;
	int64_t since_ns; /* when it was raised */
	enum lab_means vlan, impair;
	int *node_fds; /* in the keeper, by node */
	int *open_fds; /* ours, opened by lab_netns(); -1 */
};

/* what is the name of a lab that is up, or the file that it was raised from (any file whose lab has
 * that name).  -ENOENT if it is not up, with a text that says how to raise it.
 */
int lab_open(const char *run_root, const char *what, struct lab **ret,
	     struct error *err) must_check;
void lab_close(struct lab *lab);
DEFINE_CLEANUP(struct lab *, lab, lab_close);

/* A descriptor of a node's network namespace, for setns(); the lab's, not to be closed. */
int lab_netns(struct lab *lab, size_t node, struct error *err) must_check;

/* Names of all labs that are up. */
int lab_list(const char *run_root, struct strv *ret, struct error *err) must_check;

/* Calls fn with the calling process inside the node's network namespace, and comes back.  The
 * process has one thread.  What fn opens (sockets) stays in the node.
 */
int lab_inside(struct lab *lab, size_t node, int (*fn)(void *data, struct error *err), void *data,
	       struct error *err) must_check;

#endif

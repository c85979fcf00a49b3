/* src/lab/enter.h - a process moves into a node: its network, its name, and whom it
 * knows by name. */
#ifndef LAB_ENTER_H
#define LAB_ENTER_H

#include "lab/lab.h"

struct entering {
	int netns_fd;
	const char *node;           /* becomes the host name */
	const char *hosts, *resolv; /* files to be /etc/hosts and /etc/resolv.conf; NULL */
};

/* For a child process: it is in the lab's process namespace already.  Ends with 126 or 127 and a
 * line on standard error if it cannot.
 */
_Noreturn void enter_and_exec(const struct entering *to, char *const *argv);

/* As fork(), but the child is one of the lab's processes. */
pid_t lab_fork(const struct lab *lab, struct error *err) must_check;

/* Runs a command in a node of a lab that is up, with our standard input and output, and waits.
 * Returns its exit status, 128 and more for a signal.
 */
int lab_exec(struct lab *lab, size_t node, char *const *argv, struct error *err) must_check;

/* The same on this host, outside of any node. */
int lab_run(char *const *argv, struct error *err) must_check;

#endif

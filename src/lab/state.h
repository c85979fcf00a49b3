/* src/lab/state.h - what is written down of a lab that is up. */
#ifndef LAB_STATE_H
#define LAB_STATE_H

#include "lab/lab.h"

struct lab_state {
	pid_t keeper;
	uint64_t keeper_start;
	int64_t since_ns;
	enum lab_means vlan, impair;
	const int *node_fds;
	const char *root, *run_root; /* NULL: not given */
};
int lab_state_save(const char *dir, const struct lab_state *s, size_t n_nodes,
		   struct error *err) must_check;

/* Who holds the lab of a directory, whatever else in it can be read; false: nobody does. */
bool lab_keeper_of(const char *dir, pid_t *ret, uint64_t *ret_start);

/* RUN_ROOT/labs/NAME; the caller frees. */
char *lab_dir(const char *run_root, const char *name);
/* The name of the lab that somebody means by a name or a file; the caller frees. */
int lab_name_of(const char *what, char **ret, struct error *err) must_check;
/* what is the file's name for messages and, without its ending, of a lab that has none; ret_text
 * may be NULL.
 */
int lab_read_file(const char *path, const char *what, struct topology **ret, char **ret_text,
		  struct error *err) must_check;

#endif

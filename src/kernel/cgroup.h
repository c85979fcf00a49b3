/* src/kernel/cgroup.h - the control groups of one container, on v1, v2 and both at once.
 *
 * A container has one group of the same path in every hierarchy that is mounted below
 * /sys/fs/cgroup. Entering is the slow part if done naively: writing a pid into cgroup.procs waits
 * for an RCU grace period (10 ms after an idle spell).  So a process enters by being born there
 * (v2, CLONE_INTO_CGROUP), or by writing 0 to "tasks" itself while it has one thread (v1); the
 * descriptors for that are opened before.
 *
 * In a dry run nothing is made and descriptors are -1.
 */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

#define CGROUP_HIERARCHIES_MAX 24

struct cgroup_part {
	char name[64]; /* "memory", "cpu,cpuacct", "unified" */
	char *dir;     /* on the host */
	int dir_fd;    /* -1 if the group is not there */
	int join_fd;   /* v1: its "tasks", open for writing */
	bool v2;
	bool mine; /* made by cgroup_create() */
};

struct cgroup {
	struct cgroup_part parts[CGROUP_HIERARCHIES_MAX];
	size_t n;
	char *path; /* "/strake/ID" in every hierarchy */
};

struct cgroup_device_rule {
	bool allow;
	char type;            /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1: any */
	char access[4];       /* "rwm" or a part */
};

/* What is asked for (config-linux.md "Control groups"); the has_ fields say which.  -1: no limit.
 */
struct cgroup_limits {
	bool has_memory, has_swap, has_reservation, has_shares, has_quota, has_period, has_pids;
	bool disable_oom_killer;
	int64_t memory, swap, reservation; /* bytes; swap is memory + swap, as OCI has it */
	int64_t quota;                     /* microseconds a period */
	uint64_t shares, period;
	int64_t pids;
	char *cpus, *mems;     /* cpuset; NULL: as the parent */
	uint64_t blkio_weight; /* 0: unset */
	struct strv throttle;  /* "rbps 8:0 1048576", also wbps, riops, wiops */
	struct strv unified;   /* "memory.high=..." */
	struct strv hugetlb;   /* "2MB=..." */
	struct cgroup_device_rule *devices;
	size_t ndevices;
};
void cgroup_limits_done(struct cgroup_limits *limits);

/* Makes the group in all hierarchies; path is absolute, checked for "..", and not the root. -EBUSY:
 * it is there and something is in it.  On failure nothing is left.
 */
int cgroup_create(const char *path, struct cgroup *ret, struct error *err) must_check;
/* Opens what there is of it. */
int cgroup_open(const char *path, struct cgroup *ret, struct error *err) must_check;
void cgroup_close(struct cgroup *cg);

int cgroup_limit(const struct cgroup *cg, const struct cgroup_limits *limits,
		 struct error *err) must_check;
/* The v2 directory for CLONE_INTO_CGROUP, or -1. */
int cgroup_v2_fd(const struct cgroup *cg);
/* By the process itself, single-threaded, v1 parts only. */
int cgroup_join_v1(const struct cgroup *cg, struct error *err) must_check;
/* Tells the directories as the shell variable "groups"; joining is the loop
 * for d in $groups; do echo 0 > $d/cgroup.procs; done
 */
void cgroup_narrate(const struct cgroup *cg, const char *why);

int cgroup_freeze(const struct cgroup *cg, bool frozen, struct error *err) must_check;
/* Whether it is frozen. */
bool cgroup_is_frozen(const struct cgroup *cg);
/* Every process in it; pids are appended to a heap array of *ret_n. */
int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_n, struct error *err) must_check;
int cgroup_signal(const struct cgroup *cg, int sig, struct error *err) must_check;
/* Kills what is in it, waits for its end, removes the directories, and the parent if it is empty.
 */
int cgroup_remove(const struct cgroup *cg, struct error *err) must_check;
/* Appends the names of the groups right below path ("/strake"), each once. */
int cgroup_children(const char *path, struct strv *ret, struct error *err) must_check;
/* Notes whose it is, where every hierarchy keeps it as long as the group. */
void cgroup_set_owner(const struct cgroup *cg, const char *owner);
/* Whether one of its groups has that owner; another than that (a script notes none). */
bool cgroup_has_owner(const struct cgroup *cg, const char *owner);
bool cgroup_has_other_owner(const struct cgroup *cg, const char *owner);
/* How often the kernel's OOM killer struck in it. */
uint64_t cgroup_oom_kills(const struct cgroup *cg);

#endif

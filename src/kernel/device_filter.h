/* src/kernel/device_filter.h - which devices a cgroup v2 may open or make, as an eBPF program.
 *
 * v1 has a file for that; v2 has BPF_CGROUP_DEVICE (bpf-helpers(7), linux/bpf.h
 * bpf_cgroup_dev_ctx).
 */
#ifndef KERNEL_DEVICE_FILTER_H
#define KERNEL_DEVICE_FILTER_H

#include "base/error.h"

struct cgroup_device_rule;

/* The last rule that matches an access counts, as v1's order of writes does; none: denied. */
int device_filter_attach(int cgroup_fd, const struct cgroup_device_rule *rules, size_t n,
			 struct error *err) must_check;

#endif

/* src/kernel/xtables.c */
#include "kernel/xtables.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/file.h"

#define NAMES      "/proc/net/ip_tables_names"
#define TABLE      "filter"
#define TABLE_MAX  (16U << 20) /* bytes of a table that is looked through */
#define VERDICT(v) (-(v)-1)

static bool is_loaded(void)
{
	autofree char *text = NULL;

	return file_read_at(AT_FDCWD, NAMES, 4096, &text, NULL, NULL) == 0 &&
	       strstr(text, TABLE "\n");
}

/* The entries, which the caller frees; NULL on any failure. */
static struct ipt_get_entries *read_table(struct ipt_getinfo *info)
{
	autoclose int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	socklen_t size = sizeof(*info);
	struct ipt_get_entries *entries;

	memset(info, 0, sizeof(*info));
	memcpy(info->name, TABLE, sizeof(TABLE));
	if (fd < 0 || getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, info, &size) < 0 ||
	    info->size > TABLE_MAX)
		return NULL;
	size = (socklen_t)(sizeof(*entries) + info->size);
	entries = xcalloc(1, size);
	memcpy(entries->name, TABLE, sizeof(TABLE));
	entries->size = info->size;
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &size) == 0)
		return entries;
	free(entries);
	return NULL;
}

bool xtables_forward_drops(const char *link)
{
	autofree struct ipt_get_entries *entries = NULL;
	const struct xt_standard_target *target;
	const struct ipt_entry *e;
	struct ipt_getinfo info;
	const char *start;
	uint32_t at, policy;

	if (!is_loaded() || !(entries = read_table(&info)))
		return false;
	start = (const char *)entries->entrytable;
	policy = info.underflow[NF_INET_FORWARD];
	for (at = info.hook_entry[NF_INET_FORWARD]; at < policy && at < info.size;
	     at += e->next_offset) {
		e = (const void *)(start + at);
		if (strcmp(e->ip.iniface, link) == 0 || e->next_offset == 0)
			return false;
	}
	if (policy + sizeof(*e) + sizeof(*target) > info.size)
		return false;
	e = (const void *)(start + policy);
	target = (const void *)(start + policy + e->target_offset);
	return target->verdict == VERDICT(NF_DROP);
}

/* src/kernel/xtables.c */
#include "kernel/xtables.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/file.h"

#define TABLE      "filter"
#define TABLE_MAX  (16U << 20) /* bytes of a table that is looked through */
#define VERDICT(v) (-(v)-1)

/* The two families differ in the size of an entry alone. */
static const struct family {
	int family, level, info, entries;
	const char *names;
	size_t entry, iniface, target, next; /* its size, and where these lie in it */
} families[] = {
	{ AF_INET, IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, "/proc/net/ip_tables_names",
	  sizeof(struct ipt_entry), offsetof(struct ipt_entry, ip.iniface),
	  offsetof(struct ipt_entry, target_offset), offsetof(struct ipt_entry, next_offset) },
	{ AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES,
	  "/proc/net/ip6_tables_names", sizeof(struct ip6t_entry),
	  offsetof(struct ip6t_entry, ipv6.iniface), offsetof(struct ip6t_entry, target_offset),
	  offsetof(struct ip6t_entry, next_offset) },
};
static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
		      sizeof(struct ipt_get_entries) == sizeof(struct ip6t_get_entries),
	      "what is asked for has one form");

static bool is_loaded(const struct family *f)
{
	autofree char *text = NULL;

	return file_read_at(AT_FDCWD, f->names, 4096, &text, NULL, NULL) == 0 &&
	       strstr(text, TABLE "\n");
}

/* The entries, which the caller frees; NULL on any failure. */
static struct ipt_get_entries *read_table(const struct family *f, struct ipt_getinfo *info)
{
	autoclose int fd = socket(f->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	socklen_t size = sizeof(*info);
	struct ipt_get_entries *entries;

	memset(info, 0, sizeof(*info));
	memcpy(info->name, TABLE, sizeof(TABLE));
	if (fd < 0 || getsockopt(fd, f->level, f->info, info, &size) < 0 || info->size > TABLE_MAX)
		return NULL;
	size = (socklen_t)(sizeof(*entries) + info->size);
	entries = xcalloc(1, size);
	memcpy(entries->name, TABLE, sizeof(TABLE));
	entries->size = info->size;
	if (getsockopt(fd, f->level, f->entries, entries, &size) == 0)
		return entries;
	free(entries);
	return NULL;
}

static uint16_t offset_at(const char *entry, size_t field)
{
	uint16_t value;

	memcpy(&value, entry + field, sizeof(value));
	return value;
}

bool xtables_forward_drops(int family, const char *link)
{
	const struct family *f = &families[family == AF_INET6];
	autofree struct ipt_get_entries *entries = NULL;
	struct xt_standard_target target;
	struct ipt_getinfo info;
	const char *start;
	uint32_t at, policy;

	if (!is_loaded(f) || !(entries = read_table(f, &info)))
		return false;
	start = (const char *)entries->entrytable;
	policy = info.underflow[NF_INET_FORWARD];
	for (at = info.hook_entry[NF_INET_FORWARD]; at < policy && at + f->entry <= info.size;
	     at += offset_at(start + at, f->next))
		if (strncmp(start + at + f->iniface, link, IFNAMSIZ) == 0 ||
		    offset_at(start + at, f->next) == 0)
			return false;
	if (policy + f->entry + sizeof(target) > info.size)
		return false;
	policy += offset_at(start + policy, f->target);
	if (policy + sizeof(target) > info.size)
		return false;
	memcpy(&target, start + policy, sizeof(target));
	return target.verdict == VERDICT(NF_DROP);
}

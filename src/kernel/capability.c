/* src/kernel/capability.c */
#include "kernel/capability.h"

#include <ctype.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/buf.h"

static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

int capability_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *capability_name(int cap)
{
	return cap >= 0 && (size_t)cap < ARRAY_SIZE(names) ? names[cap] : NULL;
}

static int capget_own(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int capset_own(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Numbers past the kernel's last capability read as EINVAL, which ends the loop. */
int capability_drop_bounding(uint64_t keep, struct error *err)
{
	for (int cap = 0; cap <= CAPABILITY_MAX; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break;
		if (!has || keep >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return error_sys(err, -errno, "drop capability %d from the bounding set",
					 cap);
	}
	return 0;
}

static uint64_t bounding_now(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap <= CAPABILITY_MAX; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break;
		set |= (uint64_t)has << cap;
	}
	return set;
}

/* Asking for what we do not hold ourselves is not an error: a nested engine gives what it has, as
 * the others do.
 */
int capability_apply(const struct capability_sets *sets, struct error *err)
{
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t held, permitted, inheritable;
	int r = capget_own(data);

	if (r < 0)
		return error_sys(err, r, "read own capabilities");
	held = data[0].permitted | (uint64_t)data[1].permitted << 32;
	permitted = sets->permitted & held;
	inheritable = sets->inheritable & (held | bounding_now());
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].effective = (uint32_t)((sets->effective & permitted) >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	r = capset_own(data);
	if (r < 0)
		return error_sys(err, r, "set capabilities");
	for (int cap = 0; sets->ambient && cap <= CAPABILITY_MAX; cap++)
		if (sets->ambient & permitted & inheritable & 1ULL << cap)
			(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return 0;
}

int capability_raise(struct error *err)
{
	struct __user_cap_data_struct data[2] = { 0 };
	int r = capget_own(data);

	for (unsigned i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	if (r == 0)
		r = capset_own(data);
	return r < 0 ? error_sys(err, r, "raise capabilities") : 0;
}

static void add_lower(struct buf *text, const char *name)
{
	buf_add_str(text, ",+");
	for (; *name; name++)
		buf_add_char(text, (char)tolower((unsigned char)*name));
}

char *capability_format(uint64_t set)
{
	struct buf text = BUF_INIT(4096);

	buf_add_str(&text, "-all");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (set >> i & 1)
			add_lower(&text, names[i] + strlen("CAP_"));
	return buf_steal(&text);
}

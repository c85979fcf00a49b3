/* src/network/holder.c */
#include "network/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "network/port.h"

#define TABLE_BYTES_MAX (8U << 20) /* of /proc/net/tcp: 50,000 sockets */
#define STATE_LISTEN    0x0a

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 1 ..." */
uint64_t holder_parse_line(const char *line, uint16_t number, uint8_t protocol)
{
	unsigned port = 0, state = 0;
	uint64_t inode = 0;

	if (sscanf(line, " %*u: %*32[0-9A-F]:%4X %*32[0-9A-F]:%*4X %2X %*s %*s %*s %*s %*s %20lu",
		   &port, &state, &inode) != 3)
		return 0;
	if (port != number || (protocol == IPPROTO_TCP && state != STATE_LISTEN))
		return 0;
	return inode;
}

static uint64_t find_inode(const char *table, uint16_t number, uint8_t protocol)
{
	autofree char *text = NULL;
	uint64_t inode = 0;
	char *rest, *line;

	if (file_read_at(AT_FDCWD, table, TABLE_BYTES_MAX, &text, NULL, NULL) < 0)
		return 0;
	rest = text;
	while (!inode && (line = strsep(&rest, "\n")))
		inode = holder_parse_line(line, number, protocol);
	return inode;
}

static bool holds(int fd_dir, const char *socket)
{
	DIR *dir = fdopendir(fd_dir);
	const struct dirent *entry;
	bool found = false;

	if (!dir) {
		(void)close(fd_dir);
		return false;
	}
	while (!found && (entry = readdir(dir))) {
		char target[64];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			found = strcmp(target, socket) == 0;
		}
	}
	(void)closedir(dir);
	return found;
}

static bool is_holder(int proc, const char *pid, const char *socket, char *ret, size_t size)
{
	autofree char *fds = xasprintf("%s/fd", pid), *comm = xasprintf("%s/comm", pid);
	autofree char *name = NULL;
	int fd = openat(proc, fds, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !holds(fd, socket))
		return false;
	if (file_read_at(proc, comm, 64, &name, NULL, NULL) < 0)
		return false;
	name[strcspn(name, "\n")] = '\0';
	(void)snprintf(ret, size, "%s (process %s)", name, pid);
	return true;
}

void holder_name(const struct port *port, uint16_t number, char *ret, size_t size)
{
	const char *kind = port->protocol == IPPROTO_UDP ? "udp" : "tcp";
	char table[32], socket[40];
	const struct dirent *entry;
	uint64_t inode;
	DIR *proc;

	ret[0] = '\0';
	(void)snprintf(table, sizeof(table), "/proc/net/%s", kind);
	inode = find_inode(table, number, port->protocol);
	(void)snprintf(table, sizeof(table), "/proc/net/%s6", kind);
	if (!inode)
		inode = find_inode(table, number, port->protocol);
	proc = inode ? opendir("/proc") : NULL;
	(void)snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_holder(dirfd(proc), entry->d_name, socket, ret, size))
			break;
	if (proc)
		(void)closedir(proc);
}

/* src/base/socket.c */
#include "base/socket.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"

/* "/proc/self/fd/N/name" always fits where an absolute path may not. */
static int address_fill(int dirfd, const char *path, int *ret_dir, struct sockaddr_un *ret)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir =
		slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	int fd = openat(dirfd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int n;

	if (fd < 0)
		return -errno;
	*ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", fd,
		     slash ? slash + 1 : path);
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path)) {
		(void)close(fd);
		return -ENAMETOOLONG;
	}
	*ret_dir = fd;
	return 0;
}

int socket_listen_at(int dirfd, const char *path, int type, int *ret, struct error *err)
{
	struct sockaddr_un address;
	autoclose int dir = -1;
	autoclose int sock = -1;
	mode_t before;
	int r = address_fill(dirfd, path, &dir, &address);

	if (r < 0)
		return error_sys(err, r, "listen on %s", path);
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return error_sys(err, -errno, "make socket %s", path);
	before = umask(0177);
	r = bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(sock, 64) < 0
		    ? -errno
		    : 0;
	(void)umask(before);
	if (r < 0)
		return error_sys(err, r, "listen on %s", path);
	*ret = steal_fd(&sock);
	return 0;
}

int socket_connect_at(int dirfd, const char *path, int type, int *ret, struct error *err)
{
	struct sockaddr_un address;
	autoclose int dir = -1;
	autoclose int sock = -1;
	int r = address_fill(dirfd, path, &dir, &address);

	if (r < 0)
		return error_sys(err, r, "connect to %s", path);
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return error_sys(err, -errno, "make socket for %s", path);
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_sys(err, -errno, "connect to %s", path);
	*ret = steal_fd(&sock);
	return 0;
}

int socket_send_fd(int sock, const void *bytes, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	n = TEMP_FAILURE_RETRY(sendmsg(sock, &msg, MSG_NOSIGNAL));
	return n < 0 ? -errno : (size_t)n == len ? 0 : -EMSGSIZE;
}

ssize_t socket_receive_fd(int sock, void *ret, size_t room, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = ret, .iov_len = room };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = TEMP_FAILURE_RETRY(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC));
	int fd = -1;

	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(int));
	*ret_fd = fd;
	return n;
}

/* src/base/socket.h - Unix sockets whose path may be longer than sun_path, and descriptors sent
 * through them.
 */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include "base/error.h"

/* type is SOCK_STREAM or SOCK_SEQPACKET; SOCK_CLOEXEC is added.  path is relative to dirfd.  Only
 * our own user may connect, whatever the umask.
 */
int socket_listen_at(int dirfd, const char *path, int type, int *ret, struct error *err) must_check;
int socket_connect_at(int dirfd, const char *path, int type, int *ret,
		      struct error *err) must_check;

/* One message with one descriptor beside it. */
int socket_send_fd(int sock, const void *bytes, size_t len, int fd) must_check;
/* Returns the message's length; *ret_fd is -1 if none came, else close-on-exec and the caller's. */
ssize_t socket_receive_fd(int sock, void *ret, size_t room, int *ret_fd) must_check;

#endif

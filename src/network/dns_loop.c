/* src/network/dns_loop.c */
#include "network/dns_loop.h"

int dns_source_open(struct dns_source *s, int epoll, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };

	s->fd = fd;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void dns_source_want(struct dns_source *s, int epoll, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };

	(void)epoll_ctl(epoll, EPOLL_CTL_MOD, s->fd, &event);
}

void dns_source_close(struct dns_source *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

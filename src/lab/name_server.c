/* src/lab/name_server.c */
#include "lab/name_server.h"

#include <arpa/nameser.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "lab/enter.h"
#include "lab/names.h"
#include "network/dns_jail.h"
#include "network/dns_message.h"

/* answering */

/* One word of a line; false: there is none before its end or a comment. */
static bool next_word(const char **at, char *ret, size_t room)
{
	const char *from = *at + strspn(*at, " \t\r");
	size_t len = strcspn(from, " \t\r\n#");

	*at = from + len;
	if (len == 0)
		return false;
	len = MIN(len, room - 1);
	memcpy(ret, from, len);
	ret[len] = '\0';
	return true;
}

struct search {
	const struct dns_query *query;
	struct dns_answer *answer;
	char backwards[IP_TEXT_LEN]; /* the address that is asked for, if any */
	bool found;
};

static void take_line(struct search *s, const char *line)
{
	char address[IP_TEXT_LEN + 1], name[NS_MAXDNAME];
	struct ip ip;

	if (!next_word(&line, address, sizeof(address)) || ip_parse(address, &ip) < 0)
		return;
	while (next_word(&line, name, sizeof(name))) {
		if (s->backwards[0]) {
			ip_format(&ip, address);
			if (strcmp(address, s->backwards) != 0 || s->found)
				continue;
			s->found = true;
			if (s->query->type == ns_t_ptr)
				dns_answer_name(s->answer, ns_t_ptr, name);
			continue;
		}
		if (strcasecmp(name, s->query->name) != 0)
			continue;
		s->found = true;
		if (s->query->type == (ip.family == AF_INET6 ? ns_t_aaaa : ns_t_a))
			dns_answer_address(s->answer, s->query->type, ip.bytes, ip_len(&ip));
	}
}

size_t name_server_answer(const char *hosts, const void *message, size_t len, uint8_t *answer,
			  size_t max)
{
	struct dns_query query;
	struct dns_answer a;
	struct search s = { .query = &query, .answer = &a };
	int rcode = dns_query_parse(message, len, &query);

	if (rcode < 0)
		return 0;
	dns_answer_init(&a, &query, answer, MIN(max, (size_t)MAX(query.udp_max, DNS_UDP_PLAIN)));
	if (rcode != 0)
		return dns_answer_finish(&a, rcode);
	if (query.class != ns_c_in)
		return dns_answer_finish(&a, ns_r_refused);
	if (!dns_reverse_parse(query.name, s.backwards, sizeof(s.backwards)))
		s.backwards[0] = '\0';
	for (const char *line = hosts; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		take_line(&s, line);
	}
	return dns_answer_finish(&a, s.found ? DNS_NODATA : ns_r_nxdomain);
}

/* serving */

struct serving {
	int fd, hosts_fd;
	char *hosts; /* the text, as of seen */
	struct stat seen;
};

/* It is written in place, from inside the node, where it is mounted. */
static void read_again(struct serving *s)
{
	struct stat now;
	char *text = NULL;

	if (fstat(s->hosts_fd, &now) < 0 || (s->hosts && now.st_size == s->seen.st_size &&
					     now.st_mtim.tv_sec == s->seen.st_mtim.tv_sec &&
					     now.st_mtim.tv_nsec == s->seen.st_mtim.tv_nsec))
		return;
	if (lseek(s->hosts_fd, 0, SEEK_SET) < 0 ||
	    file_read_fd(s->hosts_fd, "hosts", NAMES_MAX, &text, NULL, NULL) < 0)
		return;
	free(s->hosts);
	s->hosts = text;
	s->seen = now;
}

static _Noreturn void serve(struct serving *s)
{
	static uint8_t message[DNS_MESSAGE_MAX], answer[DNS_UDP_MAX];

	for (;;) {
		struct sockaddr_in6 from;
		char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct iovec io = { message, sizeof(message) };
		struct msghdr m = { .msg_name = &from,
				    .msg_namelen = sizeof(from),
				    .msg_iov = &io,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(s->fd, &m, 0);
		struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

		if (n < 0)
			continue;
		read_again(s);
		io = (struct iovec) { answer,
				      name_server_answer(s->hosts ? s->hosts : "", message,
							 (size_t)n, answer, sizeof(answer)) };
		/* From the address that was asked, by whatever way leads back. */
		if (c && c->cmsg_type == IPV6_PKTINFO &&
		    !IN6_IS_ADDR_LINKLOCAL(&((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_addr))
			((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
		if (io.iov_len)
			(void)sendmsg(s->fd, &m, 0);
	}
}

/* Of both families. */
static int open_socket(int netns_fd, int *ret, struct error *err)
{
	const struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	const int on = 1, off = 0;
	int fd;

	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "enter its network");
	fd = *ret = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_sys(err, -errno, "open a socket");
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0)
		return error_sys(err, -errno, "listen on port %d", DNS_PORT);
	return 0;
}

/* Nothing but the two that it serves with. */
static void close_others(const struct serving *s)
{
	int low = MIN(s->fd, s->hosts_fd), high = MAX(s->fd, s->hosts_fd);

	if (low > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
	if (high > low + 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0U, 0);
}

static _Noreturn void be_server(int netns_fd, const char *hosts, int status)
{
	struct serving s = { .fd = -1, .hosts_fd = open(hosts, O_RDONLY | O_CLOEXEC) };
	struct error err = { 0 };
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = s.hosts_fd < 0 ? error_sys(&err, -errno, "open %s", hosts) : 0;

	(void)prctl(PR_SET_NAME, "strake-lab-dns");
	(void)setsid();
	if (r == 0)
		r = open_socket(netns_fd, &s.fd, &err);
	if (r == 0)
		r = dns_jail_enter(&err);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(nothing, fd);
	(void)error_send(status, &err);
	if (r < 0)
		_exit(1);
	close_others(&s);
	serve(&s);
}

/* A child that answers from when this returns. */
static int start(int netns_fd, const char *hosts, const char *node, struct error *err)
{
	struct error said = { 0 };
	int pipe[2], r;
	pid_t pid;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		be_server(netns_fd, hosts, pipe[1]);
	(void)close(pipe[1]);
	r = pid < 0 ? -errno : error_receive(pipe[0], &said);
	(void)close(pipe[0]);
	if (r != 1)
		return error_set(err, r < 0 ? r : -ECHILD, "the name server of %s did not start",
				 node);
	if (said.code < 0)
		*err = said;
	return said.code < 0 ? error_wrap(err, said.code, "name server of %s", node) : 0;
}

int name_servers_start(const struct raised *raised, const char *dir, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++) {
		const struct node *n = &raised->topology->nodes[i];
		autofree char *hosts = n->dns ? lab_names_hosts(dir, n) : NULL;

		if (hosts)
			r = start(raised->ns[i].fd, hosts, n->name, err);
	}
	return r;
}

int name_server_restart(struct lab *lab, size_t node, struct error *err)
{
	const struct node *n = &lab->topology->nodes[node];
	autofree char *hosts = lab_names_hosts(lab->dir, n);
	struct error said = { 0 };
	int pipe[2], fd = lab_netns(lab, node, err), r;
	pid_t pid;

	if (fd < 0)
		return fd;
	if (!n->dns)
		return error_set(err, -EINVAL, "%s is no name server: its node has no 'dns:'",
				 n->name);
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	/* Its child is the lab's first process's, and ends with it. */
	pid = lab_fork(lab, err);
	if (pid == 0) {
		(void)start(fd, hosts, n->name, &said);
		(void)error_send(pipe[1], &said);
		_exit(0);
	}
	(void)close(pipe[1]);
	r = pid < 0 ? (int)pid : error_receive(pipe[0], &said);
	(void)close(pipe[0]);
	if (pid > 0)
		(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	if (r != 1)
		return r < 0 ? r : error_set(err, -ECHILD, "the name server did not start");
	if (said.code < 0)
		*err = said;
	return said.code;
}

/* src/lab/relay.c - one process for all cables of a lab, on packet sockets.
 *
 * Frames keep what the kernel has not done yet (checksums, the cutting of large ones), because each
 * socket gives and takes the header that says so.  A VLAN tag comes beside the frame and has to be
 * put back into it.
 */
#include "lab/relay.h"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "kernel/netem.h"
#include "lab/lane.h"

#define TAG_LEN    4
#define FRAME_MAX  (sizeof(struct virtio_net_hdr) + 70000)
#define BURST      64   /* frames taken from one socket before the next */
#define INDEX_BASE 1000 /* of inner ends; loose cables get theirs from the kernel */
#define NS_PER_S   1000000000LL

bool link_is_impaired(const struct lab_link *link)
{
	const struct impairment *im = &link->impair;

	return im->delay_us || im->loss_ppm || im->rate_bps;
}

enum lab_means relay_means(const struct topology *t)
{
	bool needed = false;

	for (size_t i = 0; i < t->n_links; i++)
		needed |= link_is_impaired(&t->links[i]);
	if (!needed)
		return MEANS_NOT_NEEDED;
	if (netem_is_known())
		return MEANS_KERNEL;
	if (!explain_dry())
		return MEANS_BUILT;
	(void)explain_note(
		"this kernel has no netem, for which 'lab up' has a process that carries "
		"frames: this script needs a kernel that has it");
	return MEANS_KERNEL;
}

void relay_end(size_t link, int side, char ret_name[IF_NAMESIZE], int *ret_index)
{
	(void)snprintf(ret_name, IF_NAMESIZE, "l%u%c", (unsigned)link % 100000, side ? 'b' : 'a');
	*ret_index = INDEX_BASE + (int)link * 2 + side;
}

/* One end; what comes in here goes into the lane, and out of the other end. */
struct end {
	int socket, other; /* other: index of the end at the far side */
	struct lane lane;
};

struct relay {
	struct end *ends;
	size_t n;
	int epoll, timer;
	unsigned char *frame; /* FRAME_MAX */
};

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* sockets */

static int open_end(int index, int *ret)
{
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(ETH_P_ALL),
					     .sll_ifindex = index };
	const int on = 1;
	autoclose int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

static int add_end(struct relay *relay, size_t link, int side, const struct impairment *impair)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = relay->n };
	struct end *end = &relay->ends[relay->n];
	char name[IF_NAMESIZE];
	int index, r;

	relay_end(link, side, name, &index);
	lane_init(&end->lane, impair, (uint64_t)now_ns() * 2654435761U + relay->n);
	end->other = (int)relay->n + (side ? -1 : 1);
	r = open_end(index, &end->socket);
	if (r == 0 && epoll_ctl(relay->epoll, EPOLL_CTL_ADD, end->socket, &event) < 0)
		r = -errno;
	relay->n++;
	return r;
}

static int open_all(struct relay *relay, const struct topology *t)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
	int r = 0;

	relay->frame = xmalloc(FRAME_MAX);
	relay->ends = xcalloc(t->n_links * 2, sizeof(*relay->ends));
	relay->epoll = epoll_create1(EPOLL_CLOEXEC);
	relay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (relay->epoll < 0 || relay->timer < 0 ||
	    epoll_ctl(relay->epoll, EPOLL_CTL_ADD, relay->timer, &event) < 0)
		return -errno;
	for (size_t i = 0; r == 0 && i < t->n_links; i++)
		for (int side = 0; r == 0 && side < 2 && link_is_impaired(&t->links[i]); side++)
			r = add_end(relay, i, side, &t->links[i].impair);
	return r;
}

/* frames */

/* Behind the addresses, where the kernel took it out. */
static size_t put_tag(unsigned char *frame, size_t len, const struct tpacket_auxdata *aux)
{
	struct virtio_net_hdr hdr;
	unsigned char *ether = frame + sizeof(hdr);
	const uint16_t tag[] = {
		htons(aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_P_8021Q),
		htons(aux->tp_vlan_tci)
	};

	memmove(ether + 2 * ETH_ALEN + TAG_LEN, ether + 2 * ETH_ALEN,
		len - sizeof(hdr) - 2 * ETH_ALEN);
	memcpy(ether + 2 * ETH_ALEN, tag, sizeof(tag));
	memcpy(&hdr, frame, sizeof(hdr));
	if (hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		hdr.csum_start = (uint16_t)(hdr.csum_start + TAG_LEN);
	if (hdr.hdr_len)
		hdr.hdr_len = (uint16_t)(hdr.hdr_len + TAG_LEN);
	memcpy(frame, &hdr, sizeof(hdr));
	return len + TAG_LEN;
}

static ssize_t receive(struct relay *relay, int socket)
{
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov = { .iov_base = relay->frame, .iov_len = FRAME_MAX - TAG_LEN };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(socket, &msg, 0);

	if (len < (ssize_t)(sizeof(struct virtio_net_hdr) + ETH_HLEN))
		return len < 0 ? -errno : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (aux.tp_status & TP_STATUS_VLAN_VALID)
			return (ssize_t)put_tag(relay->frame, (size_t)len, &aux);
	}
	return len;
}

static void take_in(struct relay *relay, struct end *end)
{
	for (int i = 0; i < BURST; i++) {
		ssize_t len = receive(relay, end->socket);

		if (len < 0)
			return; /* none waits, or the link is down */
		if (len > 0)
			lane_put(&end->lane, relay->frame, (size_t)len,
				 (size_t)len - sizeof(struct virtio_net_hdr), now_ns());
	}
}

/* One that cannot be sent, because the far end is down, is lost, as in a cable. */
static int64_t let_out(struct relay *relay)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < relay->n; i++) {
		struct end *end = &relay->ends[i];
		struct lane_frame frame;

		while (lane_take(&end->lane, now_ns(), &frame)) {
			ignore_result(
				(int)write(relay->ends[end->other].socket, frame.bytes, frame.len));
			free(frame.bytes);
		}
		next = MIN(next, lane_due(&end->lane));
	}
	return next;
}

static void arm(const struct relay *relay, int64_t next)
{
	struct itimerspec at = { .it_value.tv_sec = 0 };

	if (next != INT64_MAX)
		at.it_value =
			(struct timespec) { .tv_sec = next / NS_PER_S, .tv_nsec = next % NS_PER_S };
	(void)timerfd_settime(relay->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static _Noreturn void carry(struct relay *relay)
{
	struct epoll_event events[BURST];
	uint64_t ticks;

	for (;;) {
		int n = epoll_wait(relay->epoll, events, BURST, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 == UINT64_MAX)
				ignore_result((int)read(relay->timer, &ticks, sizeof(ticks)));
			else
				take_in(relay, &relay->ends[events[i].data.u64]);
		}
		arm(relay, let_out(relay));
	}
}

static _Noreturn void be_relay(const struct raised *raised, int status)
{
	struct relay relay = { .ends = NULL };
	struct error err = { 0 };
	int r = 0, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_NAME, "strake-lab-wire");
	if (setns(raised->behind.fd, CLONE_NEWNET) < 0)
		r = -errno;
	if (r == 0)
		r = open_all(&relay, raised->topology);
	if (r < 0)
		(void)error_sys(&err, r, "carry frames between the lab's nodes");
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(nothing, fd);
	(void)error_send(status, &err);
	(void)close(status);
	if (r < 0)
		_exit(1);
	carry(&relay);
}

int relay_start(const struct raised *raised, struct error *err)
{
	struct error said = { 0 };
	int pipe[2], r;
	pid_t pid;

	if (raised->impair != MEANS_BUILT)
		return 0;
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		be_relay(raised, pipe[1]);
	(void)close(pipe[1]);
	r = pid < 0 ? -errno : error_receive(pipe[0], &said);
	(void)close(pipe[0]);
	if (r != 1)
		return error_set(err, r < 0 ? r : -ECHILD,
				 "the process that carries the lab's frames did not start");
	if (said.code < 0)
		*err = said;
	return said.code;
}

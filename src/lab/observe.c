/* src/lab/observe.c
 *
 * Rings of version 2: the kernel writes each frame with its time at once.  A time asked for by
 * SO_TIMESTAMPNS is that of reading for the first frames after the first such socket was opened.
 *
 * Making a ring and closing a socket wait for an RCU grace period, 10 to 30 ms: in_parallel().
 */
#include "lab/observe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/process.h"
#include "lab/raise.h"
#include "lab/relay.h"

#define BLOCK_LEN (64U << 10)
#define SLOT_LEN  2048U
#define RINGS_MAX                                                                                  \
	(256U << 20)   /* bytes that all rings together take, if one block each allows it          \
			*/
#define SLOTS_SMALL 4U /* of a small ring, for each interface */
#define BLOCKS_MAX  32U
#define QUIET_MS    20
#define RELAY_MS    100 /* a process may carry it, and have to wait for a processor */

struct ear {
	int fd;
	uint8_t *ring; /* NULL: nothing is heard */
	size_t ring_len;
	unsigned next, slots;
};

struct observer {
	struct lab *lab;
	struct ear *ears;
	size_t n;
	struct pollfd *polls; /* one more than ears */
	uint64_t serial;
	int quiet_ms;
	/* while opening */
	uint16_t type;
	unsigned flags;
	const bool *nodes;
	int r;
};

/* sights */

void sights_done(struct sights *s)
{
	free(s->items);
	buf_done(&s->bytes);
	*s = SIGHTS_INIT;
}

void sights_reset(struct sights *s)
{
	s->n = 0;
	s->lost = 0;
	buf_reset(&s->bytes);
}

static int sight_compare(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

/* opening */

static int open_ear(void *data, struct error *err)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_sys(err, -errno, "open a packet socket");
	*(int *)data = fd;
	return 0;
}

static int set_filter(int fd, uint16_t type)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

/* In a thread: no text. */
static void start_ear(void *data, size_t i)
{
	struct observer *o = data;
	struct ear *ear = &o->ears[i];
	const struct sockaddr_ll all = { .sll_family = AF_PACKET,
					 .sll_protocol = htons(ETH_P_ALL) };
	const struct tpacket_req ring = {
		.tp_block_size = BLOCK_LEN,
		.tp_block_nr = (unsigned)(ear->ring_len / BLOCK_LEN),
		.tp_frame_size = SLOT_LEN,
		.tp_frame_nr = ear->slots,
	};
	int version = TPACKET_V2, on = 1, r = 0;
	void *mapped;

	if (o->nodes && !o->nodes[i])
		return;
	if (o->type)
		r = set_filter(ear->fd, o->type);
	if (r == 0 && o->flags & OBSERVE_IN &&
	    setsockopt(ear->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0)
		r = -errno;
	if (r == 0 &&
	    (setsockopt(ear->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	     setsockopt(ear->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0))
		r = -errno;
	mapped = r == 0 ? mmap(NULL, ear->ring_len, PROT_READ | PROT_WRITE, MAP_SHARED, ear->fd, 0)
			: MAP_FAILED;
	if (r == 0 && mapped == MAP_FAILED)
		r = -errno;
	if (r == 0) {
		ear->ring = mapped;
		if (bind(ear->fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
			r = -errno;
	}
	if (r < 0)
		__atomic_store_n(&o->r, r, __ATOMIC_RELAXED);
}

unsigned lab_delay_ms(const struct topology *t)
{
	bool impaired = false;
	uint64_t us = 0;

	for (size_t i = 0; i < t->n_links; i++) {
		us += t->links[i].impair.delay_us + t->links[i].impair.jitter_us;
		impaired = impaired || link_is_impaired(&t->links[i]);
	}
	return (unsigned)MIN(us * 2 / 1000 + (impaired ? RELAY_MS : 0), 5000U);
}

static void size_ear(struct observer *o, size_t node, unsigned flags)
{
	size_t small = o->lab->topology->nodes[node].n_interfaces * SLOTS_SMALL * SLOT_LEN;
	size_t blocks = flags & OBSERVE_SMALL
				? small / BLOCK_LEN + 1
				: MIN(RINGS_MAX / BLOCK_LEN / o->n, (size_t)BLOCKS_MAX);

	o->ears[node].ring_len = MAX(blocks, (size_t)1) * BLOCK_LEN;
	o->ears[node].slots = (unsigned)(o->ears[node].ring_len / SLOT_LEN);
}

int observer_open(struct lab *lab, uint16_t type, unsigned flags, const bool *nodes,
		  struct observer **ret, struct error *err)
{
	cleanup(observer_cleanup) struct observer *o = xnew(struct observer);
	int r;

	process_allow_descriptors();
	o->lab = lab;
	o->n = lab->topology->n_nodes;
	o->ears = xcalloc(o->n, sizeof(*o->ears));
	o->polls = xcalloc(o->n + 1, sizeof(*o->polls));
	for (size_t i = 0; i < o->n; i++)
		o->ears[i].fd = -1;
	for (size_t i = 0; i < o->n; i++)
		size_ear(o, i, flags);
	o->type = type;
	o->flags = flags;
	o->nodes = nodes;
	o->quiet_ms = QUIET_MS + (int)lab_delay_ms(lab->topology);
	for (size_t i = 0; i < o->n; i++) {
		r = lab_inside(lab, i, open_ear, &o->ears[i].fd, err);
		if (r < 0)
			return r;
	}
	in_parallel(o->n, start_ear, o);
	if (o->r < 0)
		return error_sys(err, o->r, "listen in the nodes of lab %s", lab->topology->name);
	for (size_t i = 0; i < o->n; i++)
		o->polls[i] = (struct pollfd) { .fd = o->ears[i].ring ? o->ears[i].fd : -1,
						.events = POLLIN };
	*ret = steal_ptr(&o);
	return 0;
}

static void close_ear(void *data, size_t i)
{
	struct observer *o = data;

	if (o->ears[i].ring)
		(void)munmap(o->ears[i].ring, o->ears[i].ring_len);
	if (o->ears[i].fd >= 0)
		(void)close(o->ears[i].fd);
}

void observer_close(struct observer *o)
{
	if (!o)
		return;
	in_parallel(o->n, close_ear, o);
	free(o->ears);
	free(o->polls);
	free(o);
}

int observer_send(struct observer *o, size_t node, int index, const void *bytes, size_t len,
		  struct error *err)
{
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = index,
		.sll_halen = MAC_LEN,
	};

	if (sendto(o->ears[node].fd, bytes, len, 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return error_sys(err, -errno, "send a frame of %zu bytes from %s", len,
				 o->lab->topology->nodes[node].name);
	return 0;
}

/* taking */

/* The kernel keeps an outer tag beside the frame: it is put back where the wire has it. */
static void put_bytes(struct buf *to, const struct tpacket2_hdr *head, const uint8_t *bytes,
		      size_t len)
{
	const uint8_t tag[FRAME_TAG_LEN] = { 0x81, 0x00, (uint8_t)(head->tp_vlan_tci >> 8),
					     (uint8_t)head->tp_vlan_tci };

	if (!(head->tp_status & TP_STATUS_VLAN_VALID) || len < FRAME_HEAD_LEN) {
		buf_add(to, bytes, len);
		return;
	}
	buf_add(to, bytes, 12);
	buf_add(to, tag, sizeof(tag));
	buf_add(to, bytes + 12, len - 12);
}

static void take_slot(struct observer *o, size_t node, const struct tpacket2_hdr *head,
		      struct sights *to)
{
	const uint8_t *slot = (const uint8_t *)head;
	const struct sockaddr_ll *from = (const void *)(slot + TPACKET_ALIGN(sizeof(*head)));
	size_t i = (size_t)(from->sll_ifindex - interface_index(0)), at = to->bytes.len;
	bool known = i < o->lab->topology->nodes[node].n_interfaces;

	if (from->sll_ifindex == 1 && !known) /* lo */
		return;
	put_bytes(&to->bytes, head, slot + head->tp_mac, head->tp_snaplen);
	if (to->bytes.failed)
		return;
	VEC_GROW(to->items, to->n, to->room);
	to->items[to->n++] = (struct sight) {
		.ns = (int64_t)head->tp_sec * 1000000000 + head->tp_nsec,
		.node = node,
		.interface = known ? i : NO_INDEX,
		.index = from->sll_ifindex,
		.out = from->sll_pkttype == PACKET_OUTGOING,
		.at = at,
		.len = to->bytes.len - at,
		.wire_len = head->tp_len + (to->bytes.len - at - head->tp_snaplen),
		.serial = o->serial++,
	};
}

static void take_ear(struct observer *o, size_t node, struct sights *to)
{
	struct ear *ear = &o->ears[node];

	if (!ear->ring)
		return;
	/* Once round at most: in a storm frames come as fast as they are read. */
	for (unsigned i = 0; i < ear->slots; i++) {
		struct tpacket2_hdr *head = (void *)(ear->ring + (size_t)ear->next * SLOT_LEN);
		uint32_t status = __atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE);

		if (!(status & TP_STATUS_USER))
			return;
		to->lost += (status & TP_STATUS_LOSING) != 0;
		take_slot(o, node, head, to);
		__atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		ear->next = (ear->next + 1) % ear->slots;
	}
}

size_t observer_take(struct observer *o, struct sights *to)
{
	size_t before = to->n;

	for (size_t i = 0; i < o->n; i++)
		take_ear(o, i, to);
	if (to->n > before + 1)
		qsort(to->items + before, to->n - before, sizeof(*to->items), sight_compare);
	return to->n - before;
}

bool observer_wait(struct observer *o, int timeout_ms, int other_fd)
{
	o->polls[o->n] = (struct pollfd) { .fd = other_fd, .events = POLLIN };
	return poll(o->polls, o->n + 1, timeout_ms) > 0 && !(o->polls[o->n].revents & POLLIN);
}

/* Column 12 of each processor: how many wait to be received. */
bool network_is_idle(void)
{
	autofree char *text = NULL;

	if (file_read_at(AT_FDCWD, "/proc/net/softnet_stat", 1U << 16, &text, NULL, NULL) < 0)
		return true;
	for (char *at = text; *at; at = strchrnul(at, '\n'), at += *at == '\n')
		for (unsigned column = 0; column < 12 && *at && *at != '\n'; column++)
			if (strtoul(at, &at, 16) != 0 && column == 11)
				return false;
	return true;
}

bool observer_settle(struct observer *o, struct sights *to, unsigned limit_ms)
{
	int64_t end = clock_monotonic_ms() + limit_ms;

	for (;;) {
		(void)observer_take(o, to);
		if (clock_monotonic_ms() >= end)
			return false;
		if (!observer_wait(o, o->quiet_ms, -1) && network_is_idle() &&
		    observer_take(o, to) == 0)
			return true;
	}
}

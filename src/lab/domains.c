/* src/lab/domains.c */
#include "lab/domains.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "lab/observe.h"
#include "lab/raise.h"

#define SETTLE_MS  3000U
#define FRAME_MIN  60U
#define SENDS_MAX  3U  /* between two readings: a small ring holds more */
#define COPIES_MAX 50U /* of one frame at one place: it is going round */

enum mark_round { ROUND_BROADCAST = 1, ROUND_SELF = 2 };

/* Behind the Ethernet header. */
struct mark {
	char magic[8];
	uint32_t run; /* process: two may look at one lab at once */
	uint32_t point;
	uint8_t round;
};
static const char magic[8] = "strake:";

static bool bit(const uint8_t *bits, size_t i)
{
	return bits[i / 8] & 1U << i % 8;
}

static void bit_set(uint8_t *bits, size_t i)
{
	bits[i / 8] |= (uint8_t)(1U << i % 8);
}

/* points */

static bool has_children(const struct node *n, size_t interface)
{
	for (size_t i = 0; i < n->n_interfaces; i++)
		if (n->interfaces[i].kind == IF_VLAN && n->interfaces[i].parent == interface)
			return true;
	return false;
}

static bool is_port(const struct node *n, const struct interface *i)
{
	return node_is_bridge(n) && (i->kind == IF_CABLE || i->kind == IF_VXLAN) && !i->routed &&
	       i->n_addresses == 0;
}

/* A trunk that only carries other interfaces has no frames of its own. */
static bool is_end(const struct node *n, size_t i)
{
	const struct interface *interface = &n->interfaces[i];

	switch (interface->kind) {
	case IF_CABLE:
		return interface->link != NO_INDEX && !is_port(n, interface) &&
		       (interface->n_addresses || !has_children(n, i));
	case IF_VLAN:
		return true;
	case IF_VXLAN:
		return !is_port(n, interface);
	case IF_BRIDGE:
		return interface->n_addresses > 0;
	case IF_LOCAL:
		return false;
	}
	return false;
}

static void add_point(struct domains *d, size_t *room, const struct node *n, struct link_end at)
{
	const struct interface *i = &n->interfaces[at.interface];
	bool end = is_end(n, at.interface);

	if (!end && (i->kind != IF_CABLE || i->link == NO_INDEX))
		return;
	VEC_GROW(d->points, d->n, *room);
	d->points[d->n++] = (struct point) {
		.at = at, .is_end = end, .broadcast = NO_INDEX, .collision = NO_INDEX
	};
}

static void add_points(const struct topology *t, struct domains *d)
{
	size_t room = 0;

	d->base = xcalloc(t->n_nodes, sizeof(*d->base));
	for (size_t node = 0; node < t->n_nodes; node++) {
		const struct node *n = &t->nodes[node];

		d->base[node] = d->n_interfaces;
		d->n_interfaces += n->n_interfaces;
		for (size_t i = 0; i < n->n_interfaces; i++)
			add_point(d, &room, n, (struct link_end) { node, i });
	}
}

size_t domains_find(const struct domains *d, size_t node, size_t interface)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->points[i].at.node == node && d->points[i].at.interface == interface)
			return i;
	return NO_INDEX;
}

bool domains_hears(const struct domains *d, size_t from, size_t to)
{
	return domains_seen(d, from, &d->points[to].at, false);
}

bool domains_seen(const struct domains *d, size_t from, const struct link_end *at, bool out)
{
	return bit(out ? d->out : d->in,
		   from * d->n_interfaces + d->base[at->node] + at->interface);
}

/* sending and hearing */

struct watch {
	struct domains *d;
	struct lab *lab;
	struct observer *o;
	struct sights sights;
	unsigned *copies; /* by interface: frames that came there again */
	uint32_t run;
	int64_t start_ms;
	uint64_t heard;
};

/* A tagged frame is none of the interface that carries the tag, but passes a bridge's port. */
static bool is_heard(const struct watch *w, const struct sight *s, const struct frame *f)
{
	const struct node *n = &w->d->topology->nodes[s->node];

	return s->interface != NO_INDEX &&
	       (f->n_tags == 0 || is_port(n, &n->interfaces[s->interface]) || s->out);
}

static void count_one(struct watch *w, const struct sight *s)
{
	struct domains *d = w->d;
	struct frame f;
	struct mark mark;
	uint8_t *bits;
	size_t i;

	frame_decode(sight_bytes(&w->sights, s), s->len, &f);
	if (f.payload_len < sizeof(mark) || !is_heard(w, s, &f))
		return;
	memcpy(&mark, f.payload, sizeof(mark));
	if (memcmp(mark.magic, magic, sizeof(magic)) != 0 || mark.run != w->run ||
	    mark.point >= d->n || (s->out && mark.round != ROUND_BROADCAST))
		return;
	i = d->base[s->node] + s->interface;
	bits = mark.round != ROUND_BROADCAST ? d->repeats : s->out ? d->out : d->in;
	if (bit(bits, mark.point * d->n_interfaces + i) && ++w->copies[i] > COPIES_MAX)
		d->storm = true;
	bit_set(bits, mark.point * d->n_interfaces + i);
}

static void count(struct watch *w)
{
	for (size_t i = 0; i < w->sights.n; i++)
		count_one(w, &w->sights.items[i]);
	w->heard += w->sights.n + w->sights.lost;
	sights_reset(&w->sights);
}

static int send_one(struct watch *w, size_t i, enum mark_round round, struct error *err)
{
	const struct point *p = &w->d->points[i];
	const struct interface *from = link_end_interface(w->lab->topology, &p->at);
	struct mark mark = { .run = w->run, .point = (uint32_t)i, .round = (uint8_t)round };
	struct frame_head head = { .type = MARK_TYPE };
	uint8_t bytes[FRAME_MIN] = { 0 };
	struct buf frame = BUF_INIT(FRAME_MIN);
	struct error ignored;
	int r;

	memcpy(mark.magic, magic, sizeof(magic));
	memcpy(head.src, from->mac, MAC_LEN);
	memcpy(head.dst, from->mac, MAC_LEN);
	if (round == ROUND_BROADCAST)
		memset(head.dst, 0xff, MAC_LEN);
	frame_put_head(&frame, &head);
	buf_add(&frame, &mark, sizeof(mark));
	memcpy(bytes, frame.data, frame.len);
	buf_done(&frame);
	r = observer_send(w->o, p->at.node, interface_index(p->at.interface), bytes, sizeof(bytes),
			  &ignored);
	w->d->frames++;
	/* A link that is down is heard by nobody, and that is an answer. */
	if (r == -ENETDOWN || r == -ENXIO || r == -ENODEV || r == -ENOBUFS)
		return 0;
	if (r < 0 && err)
		*err = ignored;
	return r;
}

static int round_of(struct watch *w, enum mark_round round, struct error *err)
{
	struct domains *d = w->d;

	for (size_t i = 0; i < d->n && !d->storm; i++) {
		const struct point *p = &d->points[i];
		bool has_cable = link_end_interface(w->lab->topology, &p->at)->kind == IF_CABLE;
		int r = 0;

		if (round == ROUND_BROADCAST ? p->is_end : has_cable)
			r = send_one(w, i, round, err);
		if (r < 0)
			return r;
		if (i % SENDS_MAX == SENDS_MAX - 1 && observer_take(w->o, &w->sights))
			count(w);
	}
	for (int64_t end = clock_monotonic_ms() + SETTLE_MS; !d->storm;) {
		bool quiet = observer_settle(w->o, &w->sights, 20);

		count(w);
		if (quiet || clock_monotonic_ms() >= end)
			break;
	}
	return 0;
}

static int take_down(void *data, struct error *err)
{
	struct ifreq ifr = { .ifr_name = BRIDGE_NAME };
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)data;
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return error_sys(err, -errno, "look at %s", BRIDGE_NAME);
	ifr.ifr_flags = (short)(ifr.ifr_flags & ~IFF_UP);
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return error_sys(err, -errno, "take %s down", BRIDGE_NAME);
	return 0;
}

/* Frames that go round for ever would hold the machine's processors. */
static int stop_storm(struct watch *w, struct error *err)
{
	int64_t ms = MAX(clock_monotonic_ms() - w->start_ms, (int64_t)1);
	int first = 0;

	for (size_t i = 0; i < w->lab->topology->n_nodes; i++) {
		int r = node_is_bridge(&w->lab->topology->nodes[i])
				? lab_inside(w->lab, i, take_down, NULL, first < 0 ? NULL : err)
				: 0;

		first = first < 0 ? first : r;
	}
	w->d->storm_rate = w->heard * 1000 / (uint64_t)ms;
	return first;
}

/* domains */

static size_t root_of(size_t *parents, size_t i)
{
	while (parents[i] != i)
		i = parents[i] = parents[parents[i]];
	return i;
}

static bool has_broadcast(const struct domains *d, size_t i)
{
	return d->points[i].is_end;
}

/* VLANs and tunnels are on a cable that has its own. */
static bool has_collision(const struct domains *d, size_t i)
{
	return link_end_interface(d->topology, &d->points[i].at)->kind == IF_CABLE;
}

static bool joins(const struct domains *d, const uint8_t *bits, size_t from, size_t to)
{
	const struct link_end *at = &d->points[to].at;

	return bit(bits, from * d->n_interfaces + d->base[at->node] + at->interface);
}

/* Numbers the sets that bits join, both ways or one. */
static size_t number(const struct domains *d, const uint8_t *bits, bool both,
		     bool (*counts)(const struct domains *d, size_t i), size_t *ret)
{
	autofree size_t *parents = xcalloc(d->n + 1, sizeof(*parents));
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		parents[i] = i;
		ret[i] = NO_INDEX;
	}
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = 0; k < d->n; k++)
			if (joins(d, bits, i, k) && (!both || joins(d, bits, k, i)))
				parents[root_of(parents, k)] = root_of(parents, i);
	for (size_t i = 0; i < d->n; i++) {
		size_t root = root_of(parents, i);

		if (!counts(d, i))
			continue;
		if (ret[root] == NO_INDEX)
			ret[root] = n++;
		ret[i] = ret[root];
	}
	return n;
}

static void number_all(struct domains *d)
{
	autofree size_t *numbers = xcalloc(d->n + 1, sizeof(*numbers));

	d->n_broadcast = number(d, d->in, true, has_broadcast, numbers);
	for (size_t i = 0; i < d->n; i++)
		d->points[i].broadcast = numbers[i];
	d->n_collision = number(d, d->repeats, false, has_collision, numbers);
	for (size_t i = 0; i < d->n; i++)
		d->points[i].collision = numbers[i];
}

int domains_observe(struct lab *lab, struct domains *ret, struct error *err)
{
	struct domains d = { .topology = lab->topology };
	struct watch w = { .d = &d, .lab = lab, .sights = SIGHTS_INIT, .run = (uint32_t)getpid() };
	size_t room;
	int r;

	add_points(lab->topology, &d);
	room = d.n * d.n_interfaces / 8 + 1;
	d.in = xcalloc(room, 1);
	d.out = xcalloc(room, 1);
	d.repeats = xcalloc(room, 1);
	w.copies = xcalloc(d.n_interfaces + 1, sizeof(*w.copies));
	r = bridges_wait(lab, err);
	if (r == 0)
		r = observer_open(lab, MARK_TYPE, OBSERVE_SMALL, NULL, &w.o, err);
	w.start_ms = clock_monotonic_ms();
	if (r == 0)
		r = round_of(&w, ROUND_BROADCAST, err);
	if (r == 0 && !d.storm)
		r = round_of(&w, ROUND_SELF, err);
	if (r == 0 && d.storm)
		r = stop_storm(&w, err);
	observer_close(w.o);
	sights_done(&w.sights);
	free(w.copies);
	if (r < 0) {
		domains_done(&d);
		return r;
	}
	number_all(&d);
	*ret = d;
	return 0;
}

void domains_done(struct domains *d)
{
	free(d->points);
	free(d->base);
	free(d->in);
	free(d->out);
	free(d->repeats);
	*d = (struct domains) { .topology = NULL };
}

/* telling */

static void print_members(const struct domains *d, size_t number, bool collision, FILE *to)
{
	for (size_t i = 0; i < d->n; i++) {
		char name[LINK_END_LEN];

		if ((collision ? d->points[i].collision : d->points[i].broadcast) != number)
			continue;
		link_end_format(d->topology, &d->points[i].at, name);
		(void)fprintf(to, " %s", name);
	}
	(void)fputc('\n', to);
}

/* Members of one domain that hear a third one but not each other: ports that are isolated. */
static void print_deaf(const struct domains *d, FILE *to)
{
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = i + 1; k < d->n; k++) {
			char a[LINK_END_LEN], b[LINK_END_LEN];
			bool there = domains_hears(d, i, k), back = domains_hears(d, k, i);

			if (!d->points[i].is_end || !d->points[k].is_end ||
			    d->points[i].broadcast != d->points[k].broadcast || (there && back))
				continue;
			link_end_format(d->topology, &d->points[i].at, a);
			link_end_format(d->topology, &d->points[k].at, b);
			if (!there && !back)
				(void)fprintf(to, "  %s and %s do not hear each other\n", a, b);
			else
				(void)fprintf(to, "  %s does not hear %s\n", there ? a : b,
					      there ? b : a);
		}
}

void domains_print(const struct domains *d, FILE *to)
{
	if (d->storm) {
		(void)fprintf(
			to,
			"broadcast storm: a loop without spanning tree, %llu frames a second; "
			"the bridges have been taken down\n",
			(unsigned long long)d->storm_rate);
		return;
	}
	(void)fprintf(to, "%zu broadcast domain%s, %zu collision domain%s\n", d->n_broadcast,
		      d->n_broadcast == 1 ? "" : "s", d->n_collision,
		      d->n_collision == 1 ? "" : "s");
	for (size_t i = 0; i < d->n_broadcast; i++) {
		(void)fprintf(to, "broadcast %zu:", i + 1);
		print_members(d, i, false, to);
	}
	print_deaf(d, to);
	for (size_t i = 0; i < d->n_collision; i++) {
		(void)fprintf(to, "collision %zu:", i + 1);
		print_members(d, i, true, to);
	}
}

static json_t *members_json(const struct domains *d, bool collision)
{
	json_t *list = json_array();

	for (size_t i = 0; i < (collision ? d->n_collision : d->n_broadcast); i++) {
		json_t *members = json_array();

		for (size_t k = 0; k < d->n; k++) {
			char name[LINK_END_LEN];

			if ((collision ? d->points[k].collision : d->points[k].broadcast) != i)
				continue;
			link_end_format(d->topology, &d->points[k].at, name);
			(void)json_array_append_new(members, json_string(name));
		}
		(void)json_array_append_new(list, members);
	}
	return list;
}

json_t *domains_json(const struct domains *d)
{
	return json_pack("{s:o, s:o, s:b, s:I}", "broadcast", members_json(d, false), "collision",
			 members_json(d, true), "storm", d->storm, "stormFramesPerSecond",
			 (json_int_t)d->storm_rate);
}

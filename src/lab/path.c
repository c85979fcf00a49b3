/* src/lab/path.c */
#include "lab/path.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define LIMIT_MS  3000
#define STORM_MAX 200000U /* frames: more is a storm, not a path */

const char *deed_name(enum deed deed)
{
	static const char *const names[] = {
		[DEED_SENT] = "sent",           [DEED_FLOODED] = "flooded",
		[DEED_FORWARDED] = "forwarded", [DEED_ROUTED] = "routed",
		[DEED_TOOK] = "received",       [DEED_HEARD] = "ignored",
		[DEED_DROPPED] = "dropped",
	};

	return names[deed];
}

bool path_is_ours(const struct path *p, const struct sight *s, bool *ret_reply)
{
	struct frame f;

	frame_decode_inner(sight_bytes(&p->sights, s), s->len, &f);
	if (f.what != FRAME_ICMP || f.icmp_id != p->id || f.icmp_seq != 0 ||
	    (f.icmp != ICMP_KIND_ECHO && f.icmp != ICMP_KIND_REPLY))
		return false;
	*ret_reply = f.icmp == ICMP_KIND_REPLY;
	return true;
}

/* journeys */

static struct visit *visit_of(struct journey *j, size_t node)
{
	for (size_t i = j->n; i-- > 0;)
		if (j->visits[i].node == node)
			return &j->visits[i];
	return NULL;
}

static void add(struct journey *j, const struct sight *s)
{
	struct visit *v = visit_of(j, s->node);

	if (!v || (!s->out && v->n_out)) {
		VEC_GROW(j->visits, j->n, j->room);
		v = &j->visits[j->n++];
		*v = (struct visit) { .node = s->node, .in = s->out ? NULL : s };
	}
	if (!s->out)
		return;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(v->out, v->n_out, v->room);
	v->out[v->n_out++] = s;
}

static bool is_cable(const struct path *p, const struct sight *s)
{
	const struct node *n = &p->lab->topology->nodes[s->node];

	return s->interface != NO_INDEX && n->interfaces[s->interface].kind == IF_CABLE;
}

static bool is_for(const struct path *p, const struct visit *v)
{
	const struct node *n = &p->lab->topology->nodes[v->node];
	struct frame f;

	frame_decode(sight_bytes(&p->sights, v->in), v->in->len, &f);
	if (mac_is_multicast(f.dst))
		return true;
	for (size_t i = 0; i < n->n_interfaces; i++)
		if (memcmp(n->interfaces[i].mac, f.dst, MAC_LEN) == 0)
			return true;
	return false;
}

/* Of what a tunnel carries, if it is one: that is the frame that we follow. */
static bool same_macs(const struct path *p, const struct sight *a, const struct sight *b)
{
	struct frame x, y;

	frame_decode_inner(sight_bytes(&p->sights, a), a->len, &x);
	frame_decode_inner(sight_bytes(&p->sights, b), b->len, &y);
	return memcmp(x.dst, y.dst, MAC_LEN) == 0 && memcmp(x.src, y.src, MAC_LEN) == 0;
}

static void judge(const struct path *p, struct journey *j, size_t last)
{
	for (size_t i = 0; i < j->n; i++) {
		struct visit *v = &j->visits[i];

		if (!v->in)
			v->deed = DEED_SENT;
		else if (v->n_out && !same_macs(p, v->in, v->out[0]))
			v->deed = DEED_ROUTED;
		else if (v->n_out)
			v->deed = v->n_out > 1 ? DEED_FLOODED : DEED_FORWARDED;
		else if (v->node == last && is_for(p, v))
			v->deed = DEED_TOOK;
		else
			v->deed = is_for(p, v) ? DEED_DROPPED : DEED_HEARD;
	}
}

static size_t owner_of(const struct topology *t, const struct ip *ip)
{
	for (size_t i = 0; i < t->n_nodes; i++)
		for (size_t k = 0; k < t->nodes[i].n_interfaces; k++)
			for (size_t a = 0; a < t->nodes[i].interfaces[k].n_addresses; a++)
				if (ip_equal(&t->nodes[i].interfaces[k].addresses[a].ip, ip))
					return i;
	return NO_INDEX;
}

static void sort_out(struct path *p)
{
	size_t target = owner_of(p->lab->topology, &p->ping.to);

	for (size_t i = 0; i < p->sights.n; i++) {
		const struct sight *s = &p->sights.items[i];
		bool reply;

		if (is_cable(p, s) && path_is_ours(p, s, &reply))
			add(reply ? &p->reply : &p->request, s);
	}
	judge(p, &p->request, target);
	judge(p, &p->reply, p->ping.from);
	/* By the frames: the answer was read after all had come to rest. */
	if (p->ping.answered && p->request.n && p->request.visits[0].n_out && p->reply.n &&
	    p->reply.visits[p->reply.n - 1].in)
		p->ping.rtt_ns =
			p->reply.visits[p->reply.n - 1].in->ns - p->request.visits[0].out[0]->ns;
}

int path_observe(struct lab *lab, size_t from, const struct ip *to, const struct ping_how *how,
		 bool fresh, struct path *ret, struct error *err)
{
	cleanup(observer_cleanup) struct observer *o = NULL;
	cleanup(prober_cleanup) struct prober *prober = NULL;
	autofree bool *only = xcalloc(lab->topology->n_nodes, sizeof(*only));
	struct path p = { .lab = lab, .sights = SIGHTS_INIT, .ping = { .from = from, .to = *to } };
	int64_t end;
	int r;

	only[from] = true;
	r = bridges_wait(lab, err);
	if (r == 0)
		r = observer_open(lab, 0, OBSERVE_ALL, NULL, &o, err);
	if (r == 0)
		r = prober_open(lab, only, &prober, err);
	if (r < 0)
		return r;
	p.id = prober_id(prober);
	if (fresh)
		prober_forget(prober, from, to->family);
	prober_forget_routes(prober);
	prober_send(prober, &p.ping, how);
	end = clock_monotonic_ms() + LIMIT_MS;
	while (p.ping.refused == 0 && !p.ping.answered && !ip_is_set(&p.ping.complainer)) {
		bool quiet = observer_settle(o, &p.sights, 5);

		prober_receive(prober, &p.ping);
		if (quiet || clock_monotonic_ms() > end || p.sights.n > STORM_MAX)
			break;
	}
	(void)observer_take(o, &p.sights);
	sort_out(&p);
	*ret = p;
	return 0;
}

static void journey_done(struct journey *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->visits[i].out);
	free(j->visits);
}

void path_done(struct path *p)
{
	journey_done(&p->request);
	journey_done(&p->reply);
	sights_done(&p->sights);
}

void path_nodes(const struct path *p, bool with_bridges, struct strv *ret)
{
	const struct topology *t = p->lab->topology;

	for (size_t i = 0; i < p->request.n; i++) {
		const struct visit *v = &p->request.visits[i];
		bool bridge = v->deed == DEED_FORWARDED || v->deed == DEED_FLOODED;

		if (v->deed != DEED_HEARD && (!bridge || with_bridges) &&
		    !(bridge && !with_bridges))
			strv_add(ret, t->nodes[v->node].name);
	}
}

/* telling */

static const char *interface_name(const struct path *p, const struct sight *s)
{
	return p->lab->topology->nodes[s->node].interfaces[s->interface].name;
}

static void put_frame(const struct path *p, const struct sight *s, struct buf *to)
{
	char src[MAC_TEXT_LEN], dst[MAC_TEXT_LEN];
	struct frame f;

	frame_decode(sight_bytes(&p->sights, s), s->len, &f);
	mac_format(f.src, src);
	mac_format(f.dst, dst);
	buf_addf(to, "%s > %s  ", src, dst);
	frame_describe(&f, to);
}

/* What is not as it was when the frame came in. */
static void put_changes(const struct path *p, const struct visit *v, struct buf *to)
{
	struct frame a, b, x, y;

	if (!v->in || !v->n_out)
		return;
	frame_decode(sight_bytes(&p->sights, v->in), v->in->len, &a);
	frame_decode(sight_bytes(&p->sights, v->out[0]), v->out[0]->len, &b);
	frame_decode_inner(a.bytes, a.len, &x);
	frame_decode_inner(b.bytes, b.len, &y);
	if (a.n_tags != b.n_tags || (a.n_tags && a.tags[0] != b.tags[0])) {
		if (b.n_tags && a.n_tags)
			buf_addf(to, ", VLAN tag %u becomes %u", a.tags[0], b.tags[0]);
		else if (b.n_tags)
			buf_addf(to, ", VLAN tag %u put on", b.tags[0]);
		else
			buf_addf(to, ", VLAN tag %u taken off", a.tags[0]);
	}
	if (b.what == FRAME_VXLAN && a.what != FRAME_VXLAN)
		buf_addf(to, ", put into VXLAN %u", b.vni);
	else if (a.what == FRAME_VXLAN && b.what != FRAME_VXLAN)
		buf_addf(to, ", taken out of VXLAN %u", a.vni);
	else if (v->deed == DEED_ROUTED)
		buf_add_str(to, ", new MAC addresses");
	else if (a.what == FRAME_VXLAN && a.ttl != b.ttl)
		buf_add_str(to, ", the outer packet routed");
	if (x.ttl != y.ttl)
		buf_addf(to, ", TTL %u becomes %u", x.ttl, y.ttl);
	if (!ip_equal(&x.ip_src, &y.ip_src) || !ip_equal(&x.ip_dst, &y.ip_dst))
		buf_add_str(to, ", IP address rewritten (NAT)");
}

static void print_visit(const struct path *p, const struct visit *v, FILE *to)
{
	struct buf line = BUF_INIT(4096);

	buf_addf(&line, "  %s: %s", p->lab->topology->nodes[v->node].name, deed_name(v->deed));
	if (v->in)
		buf_addf(&line, ", in by %s", interface_name(p, v->in));
	for (size_t i = 0; i < v->n_out; i++)
		buf_addf(&line, "%s%s", i ? " " : ", out by ", interface_name(p, v->out[i]));
	put_changes(p, v, &line);
	buf_add_str(&line, "\n      ");
	if (v->in || v->n_out)
		put_frame(p, v->n_out ? v->out[0] : v->in, &line);
	(void)fprintf(to, "%s\n", buf_text(&line));
	buf_done(&line);
}

static void print_journey(const struct path *p, const struct journey *j, const char *title,
			  FILE *to)
{
	size_t heard = 0;

	if (j->n == 0)
		return;
	(void)fprintf(to, "%s\n", title);
	for (size_t i = 0; i < j->n; i++) {
		if (j->visits[i].deed == DEED_HEARD)
			heard++;
		else
			print_visit(p, &j->visits[i], to);
	}
	if (heard)
		(void)fprintf(to, "  heard by %zu other%s, for whom it was not\n", heard,
			      heard == 1 ? "" : "s");
}

/* The question for the hardware address, if one was asked: by the sender, first. */
static void print_asking(const struct path *p, FILE *to)
{
	for (size_t i = 0; i < p->sights.n; i++) {
		const struct sight *s = &p->sights.items[i];
		struct buf line = BUF_INIT(4096);
		struct frame f;

		frame_decode(sight_bytes(&p->sights, s), s->len, &f);
		if (is_cable(p, s) && s->out && p->lab->topology->nodes[s->node].n_interfaces &&
		    !node_is_bridge(&p->lab->topology->nodes[s->node]) &&
		    (f.what == FRAME_ARP || f.icmp == ICMP_KIND_ND_ASK ||
		     f.icmp == ICMP_KIND_ND_ANSWER || f.icmp == ICMP_KIND_REDIRECT)) {
			frame_describe(&f, &line);
			(void)fprintf(to, "  %s:%s %s%s\n", p->lab->topology->nodes[s->node].name,
				      interface_name(p, s), buf_text(&line),
				      f.what == FRAME_ARP && mac_is_broadcast(f.dst) ? " (to all)"
				      : f.icmp == ICMP_KIND_ND_ASK && mac_is_multicast(f.dst)
					      ? " (to a multicast group, not to all)"
				      : f.icmp == ICMP_KIND_REDIRECT
					      ? " (the router says that both are on one segment)"
					      : "");
		}
		buf_done(&line);
	}
}

/* Of another subnet by the file, and yet nobody routed: the asker looks for it on its own link. */
static bool is_direct(const struct path *p)
{
	const struct node *from = &p->lab->topology->nodes[p->ping.from];

	for (size_t i = 0; i < p->request.n; i++)
		if (p->request.visits[i].deed == DEED_ROUTED)
			return false;
	for (size_t i = 0; i < from->n_interfaces; i++)
		for (size_t k = 0; k < from->interfaces[i].n_addresses; k++)
			if (ip_net_has(&from->interfaces[i].addresses[k], &p->ping.to))
				return false;
	return p->ping.answered && p->request.n > 1;
}

void path_print(const struct path *p, FILE *to)
{
	char text[IP_TEXT_LEN];

	print_asking(p, to);
	print_journey(p, &p->request, "request", to);
	print_journey(p, &p->reply, "reply", to);
	ip_format(&p->ping.to, text);
	if (p->ping.answered)
		(void)fprintf(to, "%s answered in %.2f ms, TTL %u\n", text,
			      (double)p->ping.rtt_ns / 1e6, p->ping.ttl);
	else
		(void)fprintf(to, "%s did not answer\n", text);
	if (is_direct(p))
		(void)fprintf(to,
			      "direct, other subnet: %s has a route to it on its own link, and "
			      "no router was asked\n",
			      p->lab->topology->nodes[p->ping.from].name);
	if (p->request.n && p->request.visits[0].n_out) {
		struct buf nesting = BUF_INIT(1024);

		for (size_t i = 0; i < p->request.n; i++) {
			struct frame f;
			const struct visit *v = &p->request.visits[i];
			const struct sight *s = v->n_out ? v->out[0] : v->in;
			struct buf now = BUF_INIT(1024);

			frame_decode(sight_bytes(&p->sights, s), s->len, &f);
			frame_nesting(&f, &now);
			if (now.len > nesting.len) {
				buf_reset(&nesting);
				buf_add_str(&nesting, buf_text(&now));
			}
			buf_done(&now);
		}
		(void)fprintf(to, "on the wire: %s\n", buf_text(&nesting));
		buf_done(&nesting);
	}
}

static json_t *sight_json(const struct path *p, const struct sight *s)
{
	char src[MAC_TEXT_LEN], dst[MAC_TEXT_LEN], ip_src[IP_TEXT_LEN], ip_dst[IP_TEXT_LEN];
	struct buf text = BUF_INIT(4096);
	struct frame f, inner;
	json_t *o;

	frame_decode(sight_bytes(&p->sights, s), s->len, &f);
	frame_decode_inner(sight_bytes(&p->sights, s), s->len, &inner);
	mac_format(f.src, src);
	mac_format(f.dst, dst);
	ip_format(&inner.ip_src, ip_src);
	ip_format(&inner.ip_dst, ip_dst);
	frame_describe(&f, &text);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "interface", interface_name(p, s),
		      "srcMac", src, "dstMac", dst, "src", ip_src, "dst", ip_dst, "ttl", inner.ttl,
		      "length", (int)s->wire_len, "text", buf_text(&text));
	if (f.n_tags)
		(void)json_object_set_new(o, "vlan", json_integer(f.tags[0]));
	if (f.what == FRAME_VXLAN) {
		ip_format(&f.ip_src, ip_src);
		ip_format(&f.ip_dst, ip_dst);
		(void)json_object_set_new(o, "vni", json_integer(f.vni));
		(void)json_object_set_new(o, "outerSrc", json_string(ip_src));
		(void)json_object_set_new(o, "outerDst", json_string(ip_dst));
	}
	buf_done(&text);
	return o;
}

static json_t *journey_json(const struct path *p, const struct journey *j)
{
	json_t *hops = json_array();

	for (size_t i = 0; i < j->n; i++) {
		const struct visit *v = &j->visits[i];
		json_t *out = json_array();
		json_t *hop = json_pack("{s:s, s:s}", "node", p->lab->topology->nodes[v->node].name,
					"did", deed_name(v->deed));

		if (v->in)
			(void)json_object_set_new(hop, "in", sight_json(p, v->in));
		for (size_t k = 0; k < v->n_out; k++)
			(void)json_array_append_new(out, sight_json(p, v->out[k]));
		(void)json_object_set_new(hop, "out", out);
		(void)json_array_append_new(hops, hop);
	}
	return hops;
}

json_t *path_json(const struct path *p)
{
	char text[IP_TEXT_LEN];

	ip_format(&p->ping.to, text);
	return json_pack("{s:s, s:s, s:b, s:i, s:o, s:o}", "from",
			 p->lab->topology->nodes[p->ping.from].name, "to", text, "answered",
			 p->ping.answered, "ttl", p->ping.ttl, "request",
			 journey_json(p, &p->request), "reply", journey_json(p, &p->reply));
}

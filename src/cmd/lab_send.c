/* src/cmd/lab_send.c - strake-lab send: one frame, and who received it. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_look_options.h"
#include "cmd/lab_print.h"
#include "lab/domains.h"
#include "lab/observe.h"
#include "lab/raise.h"

#define PAYLOAD_MAX 9000U
#define FRAME_MIN   60U
#define SETTLE_MS   1000U

/* "h2:eth2" or 02:...; dead names are told by the topology. */
static int find_mac(const struct topology *t, const char *text, unsigned char ret[MAC_LEN],
		    struct error *err)
{
	struct link_end end;
	int r;

	if (mac_parse(text, ret) == 0)
		return 0;
	r = topology_find_end(t, text, &end, err);
	if (r == 0)
		memcpy(ret, link_end_interface(t, &end)->mac, MAC_LEN);
	return r;
}

static int put_hex(struct buf *to, const char *digits, struct error *err)
{
	for (; *digits; digits += 2) {
		char pair[3] = { digits[0], digits[1], 0 }, *end;
		uint8_t byte = (uint8_t)strtoul(pair, &end, 16);

		if (end != pair + 2)
			return error_set(err, -EINVAL,
					 "--hex: expected pairs of hexadecimal digits");
		buf_add(to, &byte, 1);
	}
	return 0;
}

static int make_head(const struct topology *t, const struct link_end *from,
		     const struct lab_send_args *args, struct frame_head *ret, struct error *err)
{
	unsigned long type = MARK_TYPE;
	char *end = NULL;
	int r = 0;

	if (args->type)
		type = strtoul(args->type, &end, 0);
	if (end && (*end || type > 0xffff || end == args->type))
		return error_set(err, -EINVAL, "--type %s: expected a number such as 0x0800",
				 args->type);
	if (args->vlan < 0 || args->vlan > LAB_VLAN_MAX)
		return error_set(
			err, -EINVAL,
			"--vlan %d: expected 1 to %d; 0 means no VLAN, and 4095 is reserved",
			args->vlan, LAB_VLAN_MAX);
	*ret = (struct frame_head) { .type = (uint16_t)type, .vlan = (uint16_t)args->vlan };
	memset(ret->dst, 0xff, MAC_LEN);
	memcpy(ret->src, link_end_interface(t, from)->mac, MAC_LEN);
	if (args->to)
		r = find_mac(t, args->to, ret->dst, err);
	if (r == 0 && args->from)
		r = find_mac(t, args->from, ret->src, err);
	return r;
}

static int make_frame(const struct topology *t, const struct link_end *from,
		      const struct lab_send_args *args, const char *text, struct buf *to,
		      struct error *err)
{
	struct frame_head head;
	int r = make_head(t, from, args, &head, err);

	if (r < 0)
		return r;
	frame_put_head(to, &head);
	if (args->hex)
		r = put_hex(to, args->hex, err);
	else
		buf_add_str(to, text);
	while (to->len < FRAME_MIN && !to->failed)
		buf_add_char(to, '\0');
	if (r == 0 && buf_result(to) < 0)
		r = error_set(err, -E2BIG, "more than %u bytes are too many for a frame",
			      PAYLOAD_MAX);
	return r;
}

static bool is_same(const struct sights *s, const struct sight *sight, const struct buf *sent)
{
	struct frame a, b;

	frame_decode(sight_bytes(s, sight), sight->len, &a);
	frame_decode((const uint8_t *)sent->data, sent->len, &b);
	return memcmp(a.dst, b.dst, MAC_LEN) == 0 && memcmp(a.src, b.src, MAC_LEN) == 0 &&
	       a.type == b.type && a.what == b.what &&
	       (a.what != FRAME_OTHER || (a.payload_len == b.payload_len &&
					  memcmp(a.payload, b.payload, a.payload_len) == 0));
}

/* Ends of Ethernet only, each once: ports of bridges are on the way. */
static void show(const struct lab *lab, const struct sights *s, const struct buf *sent, bool json)
{
	const struct topology *t = lab->topology;
	json_t *list = json_array();
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct sight *sight = &s->items[i];
		struct link_end at = { sight->node, sight->interface };
		struct buf text = BUF_INIT(4096);
		char name[LINK_END_LEN];
		struct frame f;

		if (sight->out || at.interface == NO_INDEX || !is_same(s, sight, sent) ||
		    (node_is_bridge(&t->nodes[at.node]) &&
		     link_end_interface(t, &at)->n_addresses == 0))
			continue;
		frame_decode(sight_bytes(s, sight), sight->len, &f);
		frame_describe(&f, &text);
		link_end_format(t, &at, name);
		if (json)
			(void)json_array_append_new(
				list, json_pack("{s:s, s:s}", "at", name, "text", buf_text(&text)));
		else
			(void)printf("%s received %s\n", name, buf_text(&text));
		buf_done(&text);
		n++;
	}
	if (json)
		lab_print_json(json_incref(list));
	else if (n == 0)
		(void)printf("nobody received it\n");
	json_decref(list);
}

static int send_all(struct lab *lab, const struct link_end *from, const struct lab_send_args *args,
		    const struct buf *frame, struct error *err)
{
	cleanup(observer_cleanup) struct observer *o = NULL;
	struct sights sights = SIGHTS_INIT;
	int r = observer_open(lab, 0, OBSERVE_ALL, NULL, &o, err);

	for (int i = 0; r == 0 && i < MAX(args->times, 1); i++) {
		r = observer_send(o, from->node, interface_index(from->interface), frame->data,
				  frame->len, err);
		if (i % 16 == 15)
			(void)observer_take(o, &sights);
	}
	if (r == 0) {
		(void)observer_settle(o, &sights, SETTLE_MS);
		show(lab, &sights, frame, args->json);
	}
	sights_done(&sights);
	return r;
}

static int send_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct globals *g = globals;
	const struct lab_send_args *args = data;
	cleanup(lab_cleanup) struct lab *lab = NULL;
	struct buf frame = BUF_INIT(PAYLOAD_MAX + FRAME_HEAD_LEN + FRAME_TAG_LEN);
	struct link_end from;
	int r = lab_open(g->run_root, argv[0], &lab, err);

	if (r == 0)
		r = topology_find_end(lab->topology, argv[1], &from, err);
	if (r == 0)
		r = make_frame(lab->topology, &from, args, argc > 2 ? argv[2] : "", &frame, err);
	if (r == 0)
		r = send_all(lab, &from, args, &frame, err);
	buf_done(&frame);
	return r;
}

const struct cmd cmd_lab_send = {
	.name = "send",
	.operands = "LAB NODE[:IF] [TEXT]",
	.help = "Send one frame out of an interface, and show who receives it",
	.opts = lab_send_opts,
	.args_size = sizeof(struct lab_send_args),
	.min_operands = 2,
	.max_operands = 3,
	.run_alone = send_run,
};

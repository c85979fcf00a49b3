/* src/lab/play.c
 *
 * The page is the picture, a list of what was captured, and a script of 60 lines that moves a dot
 * along the cables.  What a device learns of each frame is worked out here, from the frames: a
 * switch where an address is, a host who has an address.
 */
#include "lab/play.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "lab/draw.h"
#include "lab/path.h"
#include "lab/tables.h"

static const char style[] =
	"<style>body{font-family:'DejaVu Sans',sans-serif;margin:1em;color:#212529}"
	"#tables{display:flex;flex-wrap:wrap;gap:10px;margin-top:8px}"
	".card{border:1px solid #adb5bd;border-radius:6px;padding:6px 10px;font:12px monospace;min-width:190px}"
	".card b{display:block;margin-bottom:3px}.new{background:#fff3bf}"
	"#said{font:13px monospace;min-height:2.6em;padding:6px 0;white-space:pre-wrap}"
	"#count{margin-left:1em}"
	"button{font-size:15px;padding:3px 12px;margin-right:6px}.dot{stroke:#212529;stroke-width:1}</style>\n";

static const char script[] =
	"<script>\n"
	"const NS='http://www.w3.org/2000/svg',svg=document.querySelector('svg'),said=document.getElementById('said');\n"
	"let at=0,timer=null,speed=900;const tables={};\n"
	"function card(n){let c=document.getElementById('table-'+n);if(c)return c;c=document.createElement('div');"
	"c.className='card';c.id='table-'+n;const b=document.createElement('b');b.textContent=n;c.append(b);"
	"document.getElementById('tables').append(c);return c}\n"
	"function learn(l,fresh){const key=l.node+'|'+l.key,c=card(l.node);let row=tables[key];"
	"if(!row){row=tables[key]=document.createElement('div');c.append(row)}"
	"const text=l.key+' '+l.value;if(row.textContent!==text){row.textContent=text;if(fresh)row.className='new'}}\n"
	"function clear(){document.querySelectorAll('.dot').forEach(d=>d.remove());"
	"document.querySelectorAll('.new').forEach(d=>d.className='')}\n"
	"function dot(m){const d=document.createElementNS(NS,'circle');d.setAttribute('r',7);d.setAttribute('class','dot');"
	"d.setAttribute('fill',m.colour);d.setAttribute('cx',m.x1);d.setAttribute('cy',m.y1);svg.append(d);return d}\n"
	"function tell(s){said.textContent=s.moves.map(m=>m.where+'  '+m.text).join('\\n');"
	"document.getElementById('count').textContent=at+' / '+film.length}\n"
	"function along(f,a,b,c,d){const g=1-f;return g*g*g*a+3*g*g*f*b+3*g*f*f*c+f*f*f*d}\n"
	"function step(animate){if(at>=film.length){stop();document.body.dataset.state='end';return false}"
	"const s=film[at++];clear();tell(s);"
	"if(!animate){s.learns.forEach(l=>learn(l,false))}else{const ds=s.moves.map(dot),t0=performance.now();"
	"(function go(now){const f=Math.min(1,Math.max(0,now-t0)/(speed*0.7));s.moves.forEach((m,i)=>{"
	"ds[i].setAttribute('cx',along(f,m.x1,m.c1,m.c2,m.x2));ds[i].setAttribute('cy',along(f,m.y1,m.y1,m.y2,m.y2))});"
	"if(f<1&&ds[0]&&ds[0].isConnected)requestAnimationFrame(go);else s.learns.forEach(l=>learn(l,true))})(t0)}"
	"if(at>=film.length)document.body.dataset.state='end';return true}\n"
	"function stop(){clearInterval(timer);timer=null;document.getElementById('play').textContent='Play'}\n"
	"function reset(){stop();at=0;clear();document.body.dataset.state='start';said.textContent='';"
	"document.getElementById('count').textContent='0 / '+film.length;"
	"document.getElementById('tables').textContent='';for(const k in tables)delete tables[k];devices.forEach(card)}\n"
	"document.getElementById('play').onclick=()=>{if(timer)return stop();if(at>=film.length)reset();"
	"document.getElementById('play').textContent='Pause';step(true);timer=setInterval(()=>step(true),speed)};\n"
	"document.getElementById('next').onclick=()=>{stop();step(true)};\n"
	"document.getElementById('back').onclick=()=>{const to=Math.max(0,at-1);reset();while(at<to)step(false)};\n"
	"document.getElementById('speed').oninput=e=>{speed=2000-e.target.value;if(timer){clearInterval(timer);timer=setInterval(()=>step(true),speed)}};\n"
	"reset();if(location.hash==='#end')while(at<film.length)step(false);\n"
	"</script>\n";

/* "h1:eth0" for what is its address, "all" */
static void mac_name(const struct topology *t, const unsigned char mac[MAC_LEN], struct buf *to)
{
	char text[MAX(LINK_END_LEN, MAC_TEXT_LEN)];
	struct link_end end;

	if (mac_is_broadcast(mac)) {
		buf_add_str(to, "all");
	} else if (topology_find_mac(t, mac, &end)) {
		link_end_format(t, &end, text);
		buf_add_str(to, text);
	} else {
		mac_format(mac, text);
		buf_add_str(to, text);
	}
}

static const char *colour_of(const struct frame *f)
{
	if (f->what == FRAME_ARP || f->icmp == ICMP_KIND_ND_ASK || f->icmp == ICMP_KIND_ND_ANSWER)
		return "#fab005";
	if (f->what == FRAME_VXLAN)
		return "#7048e8";
	return f->icmp == ICMP_KIND_ECHO    ? "#228be6"
	       : f->icmp == ICMP_KIND_REPLY ? "#40c057"
					    : "#fa5252";
}

static void add_learned(json_t *list, const char *node, const char *key, const char *value)
{
	(void)json_array_append_new(
		list, json_pack("{s:s, s:s, s:s}", "node", node, "key", key, "value", value));
}

static bool has_address(const struct node *n, const struct ip *ip)
{
	for (size_t i = 0; i < n->n_interfaces; i++)
		for (size_t k = 0; k < n->interfaces[i].n_addresses; k++)
			if (ip_equal(&n->interfaces[i].addresses[k].ip, ip))
				return true;
	return false;
}

/* Whose hardware address a question or its answer tells this node; false: it is for others. */
static bool tells(const struct node *n, const struct frame *f, const struct ip **ret_ip,
		  const unsigned char **ret_mac)
{
	bool answer = f->icmp == ICMP_KIND_ND_ANSWER;

	if (f->what == FRAME_ARP) {
		*ret_ip = &f->ip_src;
		*ret_mac = f->arp_mac;
		return has_address(n, &f->ip_dst);
	}
	if (f->what != FRAME_ICMP || (!answer && f->icmp != ICMP_KIND_ND_ASK))
		return false;
	*ret_ip = answer ? &f->about : &f->ip_src;
	*ret_mac = f->src;
	return has_address(n, answer ? &f->ip_dst : &f->about);
}

/* What the device where the frame came in knows from now on. */
static void learn(const struct layout *l, const struct sight *s, const struct frame *f, json_t *to)
{
	const struct node *n = &l->t->nodes[s->node];
	struct buf key = BUF_INIT(200), value = BUF_INIT(200);
	char text[IP_TEXT_LEN];
	const unsigned char *mac;
	const struct ip *ip;

	if (n->kind == NODE_SWITCH && !mac_is_multicast(f->src)) {
		mac_name(l->t, f->src, &key);
		buf_addf(&value, "behind %s", n->interfaces[s->interface].name);
		add_learned(to, n->name, buf_text(&key), buf_text(&value));
	}
	if (tells(n, f, &ip, &mac)) {
		ip_format(ip, text);
		buf_reset(&value);
		mac_name(l->t, mac, &value);
		add_learned(to, n->name, text, buf_text(&value));
	}
	buf_done(&key);
	buf_done(&value);
}

/* Along the cable from the other end. */
static json_t *move(const struct layout *l, const struct path *p, const struct sight *s,
		    const struct frame *f)
{
	const struct interface *i = &l->t->nodes[s->node].interfaces[s->interface];
	const struct lab_link *w = &l->t->links[i->link];
	struct wire_line line = layout_line(l, i->link);
	bool forward = w->ends[1].node == s->node && w->ends[1].interface == s->interface;
	struct buf where = BUF_INIT(300), text = BUF_INIT(4096);
	char from[LINK_END_LEN], to[LINK_END_LEN];
	json_t *o;

	(void)p;
	link_end_format(l->t, &w->ends[!forward], from);
	link_end_format(l->t, &w->ends[forward], to);
	buf_addf(&where, "%s to %s:", from, to);
	buf_add_char(&text, '(');
	mac_name(l->t, f->src, &text);
	buf_add_str(&text, " > ");
	mac_name(l->t, f->dst, &text);
	buf_add_str(&text, ") ");
	frame_describe(f, &text);
	o = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:s}", "x1",
		      forward ? line.x1 : line.x2, "y1", forward ? line.y1 : line.y2, "c1",
		      forward ? line.c1 : line.c2, "c2", forward ? line.c2 : line.c1, "x2",
		      forward ? line.x2 : line.x1, "y2", forward ? line.y2 : line.y1, "colour",
		      colour_of(f), "where", buf_text(&where), "text", buf_text(&text));
	buf_done(&where);
	buf_done(&text);
	return o;
}

static size_t other_node(const struct layout *l, const struct sight *s)
{
	const struct interface *i = &l->t->nodes[s->node].interfaces[s->interface];
	const struct lab_link *w = &l->t->links[i->link];

	return w->ends[w->ends[0].node == s->node && w->ends[0].interface == s->interface].node;
}

/* What one device sends out of several ports at once is one step. */
static json_t *film(const struct layout *l, const struct path *p)
{
	json_t *steps = json_array(), *moves = NULL, *learns = NULL;
	size_t sender = NO_INDEX;
	struct frame last = { .len = 0 };

	for (size_t i = 0; i < p->sights.n; i++) {
		const struct sight *s = &p->sights.items[i];
		const struct interface *in;
		struct frame f;

		if (s->out || s->interface == NO_INDEX)
			continue;
		in = &l->t->nodes[s->node].interfaces[s->interface];
		if (in->kind != IF_CABLE || in->link == NO_INDEX)
			continue;
		frame_decode(sight_bytes(&p->sights, s), s->len, &f);
		if (other_node(l, s) != sender || !last.bytes || last.len != f.len ||
		    memcmp(last.bytes, f.bytes, f.len) != 0) {
			moves = json_array();
			learns = json_array();
			(void)json_array_append_new(
				steps, json_pack("{s:o, s:o}", "moves", moves, "learns", learns));
		}
		sender = other_node(l, s);
		last = f;
		(void)json_array_append_new(moves, move(l, p, s, &f));
		learn(l, s, &f, learns);
	}
	return steps;
}

static json_t *devices(const struct topology *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].kind != NODE_HUB)
			(void)json_array_append_new(list, json_string(t->nodes[i].name));
	return list;
}

/* As a value in a script: "</script>" in a name would end it. */
static void put_value(FILE *to, const char *name, json_t *value)
{
	autofree char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);

	(void)fprintf(to, "const %s=", name);
	for (const char *c = text; c && *c; c++)
		if (*c == '<')
			(void)fputs("\\u003c", to);
		else
			(void)fputc(*c, to);
	(void)fputs(";\n", to);
	json_decref(value);
}

void play_write(const struct layout *l, const struct path *p, FILE *to)
{
	char target[IP_TEXT_LEN];

	ip_format(&p->ping.to, target);
	(void)fprintf(
		to,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>%s: "
		"%s to %s</title>\n%s</head>\n<body data-state=\"start\">\n<p><button "
		"id=\"play\">Play</button><button id=\"back\">Back</button><button "
		"id=\"next\">Next</button> slow <input id=\"speed\" type=\"range\" min=\"0\" "
		"max=\"1800\" value=\"1100\"> fast <span id=\"count\"></span></p>\n"
		"<div id=\"said\"></div>\n",
		l->t->name, l->t->nodes[p->ping.from].name, target, style);
	draw_svg(l, to);
	(void)fputs("<div id=\"tables\"></div>\n<script>\n", to);
	put_value(to, "film", film(l, p));
	put_value(to, "devices", devices(l->t));
	(void)fputs("</script>\n", to);
	(void)fputs(script, to);
	(void)fputs("</body></html>\n", to);
}

/* tests/unit/network/test_picture_text.c */
#include "network/picture_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "network/picture.h"

/* A host with one uplink, a network with two containers, one of them also in a second network. */
static void picture_fill(struct picture *p)
{
	struct picture_uplink *u = picture_add_uplink(p, "eth0", "");
	struct picture_segment *s;
	struct picture_plug *plug;
	struct picture_box *b;

	p->host = xstrdup("h");
	strv_add(&u->addresses, "192.0.2.1/24");
	strv_add(&u->routes, "default via 192.0.2.9");
	s = picture_add_segment(p, "strake0", "bridge");
	s->network = xstrdup("front");
	s->routed = true;
	strv_add(&s->addresses, "10.1.0.1/24");
	strv_add(&s->routes, "10.1.0.0/24");
	s = picture_add_segment(p, "strake1", "bridge");
	s->network = xstrdup("back");
	b = picture_add_box(p, "db");
	plug = picture_add_plug(b, "eth0", 1, "sk-db");
	strv_add(&plug->addresses, "10.2.0.3/24");
	b = picture_add_box(p, "web");
	plug = picture_add_plug(b, "eth0", 0, "sk-web");
	strv_add(&plug->addresses, "10.1.0.2/24");
	plug = picture_add_plug(b, "eth1", 1, "sk-web2");
	strv_add(&plug->addresses, "10.2.0.2/24");
	strv_add(&b->lines, "listens 80/tcp");
	(void)picture_add_port(p, "8080/tcp", "10.1.0.2:80", 1, 0);
	picture_add_port(p, "53/udp", "10.9.9.9:53", -1, -1)->answered = false;
}

static char *printed(const struct picture *p, unsigned columns, enum canvas_style style)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	picture_print(p, columns, style, to);
	(void)fclose(to);
	return text;
}

static void a_packets_way_is_one_row(void **state)
{
	static const char want[] =
		"         ╭─ host h ────────────────────────────────────────────────╮\n"
		"outside──┼─ eth0 ─┒ 192.0.2.1/24   default via 192.0.2.9           │\n"
		"         │        ┃                                                │\n"
		"         │        ┃                          ┏━ strake0 ━━━━━┓     │\n"
		"         │        ┠─ 10.1.0.0/24 ────────────┨ network front ┃     │\n"
		"         │        ┃                          ┃ 10.1.0.1/24   ┃     │\n"
		"         │        ┃                          ┗┳━━━━━━━━━━━━━━┛     │\n"
		"         │        ┃                           ┃  ┏━ strake1 ━━━━┓  │\n"
		"         │        ┃                           ┃  ┃ network back ┃  │\n"
		"         │        ┃                           ┃  ┗┳━━━━━━━━━━━━━┛  │\n"
		"         │        ┃                           ┃   ┃                │   ╭ web ──────────────╮\n"
		"         │        ┠─ 8080/tcp ▶ 10.1.0.2:80 ──┸───┃─ sk-web ───────┼───┤ eth0  10.1.0.2/24 │\n"
		"         │        ┃                               ┠─ sk-web2 ──────┼───┤ eth1  10.2.0.2/24 │\n"
		"         │        ┃                               ┃                │   │ listens 80/tcp    │\n"
		"         │        ┃                               ┃                │   ╰───────────────────╯\n"
		"         │        ┃                               ┃                │   ╭ db ───────────────╮\n"
		"         │        ┃                               ┖─ sk-db ────────┼───┤ eth0  10.2.0.3/24 │\n"
		"         │        ┃                                                │   ╰───────────────────╯\n"
		"         │        ┖╴ 53/udp ▶ 10.9.9.9:53 ✗                        │\n"
		"         ╰─────────────────────────────────────────────────────────╯\n"
		"         ▶ published port: its destination is rewritten (DNAT) to what follows\n"
		"         ✗ nobody listens there\n";
	struct picture p = { .host = NULL };
	char *text;

	(void)state;
	picture_fill(&p);
	picture_sort(&p);
	text = printed(&p, 0, CANVAS_PLAIN);
	assert_string_equal(text, want);
	free(text);
	picture_done(&p);
}

static unsigned widest(const char *text)
{
	unsigned width = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);

		width = MAX(width, canvas_text_width(line));
		free(line);
		text += len + (text[len] == '\n');
	}
	return width;
}

static void less_room_says_less(void **state)
{
	static const unsigned columns[] = { 100, 90, 84, 79 };
	struct picture p = { .host = NULL };

	(void)state;
	picture_fill(&p);
	picture_sort(&p);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		char *text = printed(&p, columns[i], CANVAS_PLAIN);

		assert_true(widest(text) <= columns[i]);
		assert_non_null(strstr(text, "8080/tcp ▶"));
		assert_non_null(strstr(text, "web"));
		free(text);
	}
	picture_done(&p);
}

static void ascii_has_nothing_else(void **state)
{
	struct picture p = { .host = NULL };
	char *text;

	(void)state;
	picture_fill(&p);
	text = printed(&p, 0, CANVAS_ASCII);
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
	assert_non_null(strstr(text, "8080/tcp > 10.1.0.2:80"));
	free(text);
	picture_done(&p);
}

static void nothing_at_all_is_a_frame(void **state)
{
	struct picture p = { .host = xstrdup("empty") };
	char *text;

	(void)state;
	text = printed(&p, 80, CANVAS_PLAIN);
	assert_non_null(strstr(text, "host empty"));
	free(text);
	picture_done(&p);
}

static void a_part_is_kept_by_the_name_of_a_network_or_a_container(void **state)
{
	struct picture p = { .host = NULL };

	(void)state;
	picture_fill(&p);
	assert_int_equal(picture_keep(&p, "nowhere"), -ENOENT);
	assert_int_equal(picture_keep(&p, "front"), 0);
	assert_int_equal(p.nsegments, 1);
	assert_int_equal(p.nboxes, 1);
	assert_string_equal(p.boxes[0].names.items[0], "web");
	assert_int_equal(p.boxes[0].plugs[1].segment, -1);
	assert_int_equal(p.nports, 1);
	assert_int_equal(p.ports[0].box, 0);
	picture_done(&p);

	picture_fill(&p);
	assert_int_equal(picture_keep(&p, "db"), 0);
	assert_int_equal(p.nsegments, 1);
	assert_string_equal(p.segments[0].name, "strake1");
	assert_int_equal(p.boxes[0].plugs[0].segment, 0);
	assert_int_equal(p.nports, 0);
	picture_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packets_way_is_one_row),
		cmocka_unit_test(less_room_says_less),
		cmocka_unit_test(ascii_has_nothing_else),
		cmocka_unit_test(nothing_at_all_is_a_frame),
		cmocka_unit_test(a_part_is_kept_by_the_name_of_a_network_or_a_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

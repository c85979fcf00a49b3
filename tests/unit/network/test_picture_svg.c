/* tests/unit/network/test_picture_svg.c */
#include "network/picture_svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "network/picture.h"

static char *written(const struct picture *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	picture_write_svg(p, to);
	(void)fclose(to);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* Every element that is opened is closed, in order: what a parser asks first of all. */
static void assert_nested(const char *text)
{
	char open[16][16];
	size_t depth = 0;

	while ((text = strchr(text, '<'))) {
		const char *end = strchr(text, '>');
		bool closes = text[1] == '/';
		size_t len = strcspn(text + 1 + closes, " >/");

		assert_non_null(end);
		assert_true(len < sizeof(open[0]));
		if (closes) {
			assert_true(depth > 0);
			depth--;
			assert_true(strncmp(open[depth], text + 2, len) == 0);
		} else if (end[-1] != '/') {
			assert_true(depth < ARRAY_SIZE(open));
			(void)snprintf(open[depth++], sizeof(open[0]), "%.*s", (int)len, text + 1);
		}
		text = end;
	}
	assert_int_equal(depth, 0);
}

static void names_from_outside_stay_texts(void **state)
{
	struct picture p = { .host = xstrdup("a<b>&\"c\"\x01\xff") };
	struct picture_plug *plug;
	char *text;

	(void)state;
	(void)picture_add_segment(&p, "</svg>", "bridge");
	plug = picture_add_plug(picture_add_box(&p, "<script>"), "eth0", 0, "&");
	strv_add(&plug->addresses, "10.0.0.2/24");
	text = written(&p);
	assert_nested(text);
	assert_int_equal(count(text, "<script"), 0);
	assert_int_equal(count(text, "</svg>"), 1);
	assert_non_null(strstr(text, "a&lt;b&gt;&amp;&quot;c&quot;??"));
	free(text);
	picture_done(&p);
}

static void each_thing_is_drawn_once(void **state)
{
	struct picture p = { .host = xstrdup("h") };
	struct picture_segment *s = picture_add_segment(&p, "br-a", "bridge");
	struct picture_uplink *u = picture_add_uplink(&p, "wan7", "");
	struct picture_plug *plug;
	char *text;

	(void)state;
	s->routed = true;
	strv_add(&s->routes, "10.3.0.0/24");
	strv_add(&u->addresses, "192.0.2.7/24");
	plug = picture_add_plug(picture_add_box(&p, "web"), "eth0", 0, "cable7");
	strv_add(&plug->addresses, "10.3.0.2/24");
	(void)picture_add_port(&p, "8080/tcp", "10.3.0.2:80", 0, 0);
	text = written(&p);
	assert_nested(text);
	assert_int_equal(count(text, ">br-a<"), 1);
	assert_int_equal(count(text, ">wan7<"), 1);
	assert_int_equal(count(text, ">cable7<"), 1);
	assert_int_equal(count(text, ">10.3.0.0/24<"), 1);
	assert_int_equal(count(text, "8080/tcp -&gt; 10.3.0.2:80"), 1);
	assert_int_equal(count(text, "eth0  10.3.0.2/24"), 1);
	free(text);
	picture_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_from_outside_stay_texts),
		cmocka_unit_test(each_thing_is_drawn_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

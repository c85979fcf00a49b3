/* tests/unit/engine/test_settings.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../scratch.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/settings.h"

/* Lists as texts with blanks between, for a container without an image. */
static struct container *container_new(const char *command, const char *labels, const char *ports)
{
	const char *const texts[] = { command, labels, ports };
	struct container *c = xnew(struct container);
	struct strv *const lists[] = { &c->command, &c->labels, &c->ports };

	(void)snprintf(c->id, sizeof(c->id), "c1");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		autofree char *copy = xstrdup(texts[i]);
		char *rest = copy, *word;

		while (*copy && (word = strsep(&rest, " ")))
			strv_add(lists[i], word);
	}
	return c;
}

/* What the engine adds by itself the next run adds again; the rest is said, each in its words. */
static void settings_are_instructions(void **state)
{
	static const struct {
		const char *process, *command, *labels, *ports, *user, *signal;
		const char *text; /* lines */
	} cases[] = {
		{ "{}", "sh -c a\"b", "", "", NULL, NULL, "CMD [\"sh\",\"-c\",\"a\\\"b\"]\n" },
		{ "{\"env\": [\"HOME=/root\", \"HOSTNAME=x\", \"TERM=xterm\", \"A=b c\", \"B=\\\\\\\"\","
		  " \"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"],"
		  " \"cwd\": \"/\"}",
		  "true", "", "", NULL, NULL,
		  "ENV A=\"b c\"\nENV B=\"\\\\\\\"\"\nCMD [\"true\"]\n" },
		{ "{\"env\": [\"PATH=/bin\"], \"cwd\": \"/srv\"}", "true", "a=b c", "", "33:33",
		  "INT",
		  "ENV PATH=\"/bin\"\nCMD [\"true\"]\nLABEL a=\"b\"\nLABEL c=\"\"\nUSER 33:33\n"
		  "STOPSIGNAL INT\nWORKDIR /srv\n" },
		{ "{}", "true", "", "0.0.0.0:8080->80/tcp 53/udp 90-92/tcp nonsense", "", NULL,
		  "CMD [\"true\"]\nEXPOSE 80/tcp\nEXPOSE 53/udp\nEXPOSE 90/tcp\nEXPOSE 91/tcp\n"
		  "EXPOSE 92/tcp\n" },
	};
	autoclose int root = scratch_open(*state);
	struct engine engine = { .root = *state, .root_fd = root, .run_fd = -1 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(container_cleanup) struct container *c =
			container_new(cases[i].command, cases[i].labels, cases[i].ports);
		autofree char *config = xasprintf("{\"process\": %s}", cases[i].process);
		cleanup(strv_done) struct strv list = { 0 };
		autofree char *text = xstrdup("");

		c->user = xstrdup_or_null(cases[i].user);
		c->stop_signal = xstrdup_or_null(cases[i].signal);
		scratch_put(*state, "containers/c1/config.json", config);
		assert_int_equal(settings_list(&engine, c, &list, NULL), 0);
		for (size_t k = 0; k < list.n; k++) {
			char *longer = xasprintf("%s%s\n", text, list.items[k]);

			free(text);
			text = longer;
		}
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(settings_are_instructions, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("engine/settings", tests, NULL, NULL);
}

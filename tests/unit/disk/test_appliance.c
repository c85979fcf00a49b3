/* tests/unit/disk/test_appliance.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strv.h"
#include "disk/appliance.h"
#include "disk/appliance_disk.h"
#include "disk/machine/orders.h"
#include "disk/network_plan.h"
#include "image/attributes.h"
#include "image/image.h"
#include "image/tar.h"

static const struct timespec when = { .tv_sec = 1 };

/* With a '|' for each NUL. */
static void readable(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (!b->data[i])
			b->data[i] = '|';
}

static void give_capability(struct disk_source *s)
{
	struct file *f;

	assert_int_equal(filetree_put_bytes(s->tree, "bin/ping", 0755, xstrdup("x"), 1, when, NULL),
			 0);
	f = filetree_resolve(s->tree, "bin/ping", NULL);
	f->xattrs = xcalloc(1, sizeof(*f->xattrs));
	f->nxattrs = 1;
	f->xattrs[0].name = xstrdup("security.capability");
	f->xattrs[0].value = xstrndup("\x01\xff", 2);
	f->xattrs[0].len = 2;
}

static void an_image_as_orders(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new(),
							   .kind = SOURCE_IMAGE };
	struct appliance_disk disk = { .has_root = false };
	struct network_plan plan;
	struct strv none = { 0 }, env = { 0 };
	struct appliance_request req = { .source = &s,
					 .boot = &s,
					 .disk = &disk,
					 .command = &none,
					 .entrypoint = &none,
					 .env = &env,
					 .hostname = "box",
					 .network = &plan,
					 .now_s = 1 };
	cleanup(buf_done) struct buf b = BUF_INIT(ORDERS_MAX);
	const char *text;

	(void)state;
	s.image = xcalloc(1, sizeof(*s.image));
	strv_add(&s.image->config.entrypoint, "serve");
	strv_add(&s.image->config.cmd, "-v");
	strv_add(&s.image->config.env, "A=1");
	s.image->config.stop_signal = xstrdup("SIGUSR1");
	s.image->config.workdir = xstrdup("/srv");
	strv_add(&env, "A=2");
	give_capability(&s);
	assert_int_equal(
		network_plan_parse("192.0.2.5/24,gateway=192.0.2.1,dns=192.0.2.53,interface=eth1",
				   &plan, NULL),
		0);
	assert_int_equal(appliance_orders(&req, &b, NULL), 0);
	readable(&b);
	text = buf_text(&b);
	assert_non_null(strstr(text, "xsecurity.capability 01ff /bin/ping|"));
	assert_non_null(strstr(text, "hbox|leth1|A192.0.2.5/24|R192.0.2.1|D192.0.2.53|"));
	assert_non_null(strstr(text, "eA=2|"));
	assert_non_null(strstr(text, "d/srv|s10|Eserve|a-v|"));
	assert_null(strstr(text, "ndhcp"));
	strv_done(&env);
}

static void nothing_to_run(void **state)
{
	cleanup(disk_source_done) struct disk_source s = { .tree = filetree_new(),
							   .kind = SOURCE_ARCHIVE };
	struct appliance_disk disk = { .has_root = false };
	struct network_plan plan = { .way = NETWORK_UNSAID };
	struct strv none = { 0 };
	const struct appliance_request req = { .source = &s,
					       .boot = &s,
					       .disk = &disk,
					       .command = &none,
					       .entrypoint = &none,
					       .env = &none,
					       .network = &plan,
					       .now_s = 1 };
	cleanup(buf_done) struct buf b = BUF_INIT(ORDERS_MAX);

	(void)state;
	assert_int_equal(appliance_orders(&req, &b, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_as_orders),
		cmocka_unit_test(nothing_to_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* src/disk/appliance.c */
#include "disk/appliance.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "disk/filetree.h"
#include "disk/machine/orders.h"
#include "disk/modules.h"
#include "disk/source.h"
#include "engine/engine.h"
#include "engine/root_view.h"
#include "image/image.h"

#define PROGRAM_NAME "strake-machine"
#define INIT_MAX     (1U << 20)
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_HOST "strake"

static void order(struct buf *b, enum order what, const char *value)
{
	buf_add_char(b, (char)what);
	buf_add(b, value, strlen(value) + 1);
}

static void order_number(struct buf *b, enum order what, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	order(b, what, text);
}

static void order_all(struct buf *b, enum order what, const struct strv *values)
{
	for (size_t i = 0; i < values->n; i++)
		order(b, what, values->items[i]);
}

static const struct image_config *config_of(const struct disk_source *s)
{
	return s->image ? &s->image->config : NULL;
}

/* ENTRYPOINT and CMD as "run" joins them. */
static int add_command(const struct appliance_request *req, struct buf *b, struct error *err)
{
	const struct image_config *config = config_of(req->source);
	struct strv argv = { 0 };
	size_t n;

	if (req->source->program)
		strv_add(&argv, req->source->program);
	if (req->entrypoint->n)
		strv_extend(&argv, req->entrypoint->items, req->entrypoint->n);
	else if (config)
		strv_extend(&argv, config->entrypoint.items, config->entrypoint.n);
	if (req->command->n)
		strv_extend(&argv, req->command->items, req->command->n);
	else if (config && !req->entrypoint->n)
		strv_extend(&argv, config->cmd.items, config->cmd.n);
	order_all(b, ORDER_ARG, &argv);
	n = argv.n;
	strv_done(&argv);
	return n ? 0
		 : error_set(
			   err, -EINVAL,
			   "it has no init, and nothing says what to run: name a command behind it");
}

static int add_user(const struct appliance_request *req, struct buf *b, struct strv *env,
		    struct error *err)
{
	const struct image_config *config = config_of(req->source);
	cleanup(user_done) struct user user = { 0 };
	int r = user_resolve(&req->source->dirs, config ? config->user : NULL, &user, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < user.ngroups; i++)
		order_number(b, ORDER_GROUP, user.groups[i]);
	order_number(b, ORDER_GID, user.gid);
	order_number(b, ORDER_UID, user.uid);
	if (!strv_env_get(env, "HOME"))
		strv_addf(env, "HOME=%s", user.home ? user.home : "/");
	return 0;
}

static int write_orders(const struct appliance_request *req, struct buf *b, struct error *err)
{
	const struct image_config *config = config_of(req->source);
	const char *host = req->hostname ? req->hostname : DEFAULT_HOST;
	struct strv env = { 0 };
	int r;

	order(b, ORDER_HOSTNAME, host);
	if (req->network)
		order(b, ORDER_NETWORK, "dhcp");
	strv_add(&env, DEFAULT_PATH);
	strv_addf(&env, "HOSTNAME=%s", host);
	strv_add(&env, "TERM=vt220"); /* what a serial console is taken for */
	for (size_t i = 0; config && i < config->env.n; i++)
		strv_env_set(&env, config->env.items[i]);
	for (size_t i = 0; i < req->env->n; i++)
		strv_env_set(&env, req->env->items[i]);
	r = add_user(req, b, &env, err);
	order_all(b, ORDER_ENV, &env);
	strv_done(&env);
	order(b, ORDER_DIR, config && config->workdir && *config->workdir ? config->workdir : "/");
	if (r == 0)
		r = add_command(req, b, err);
	if (r == 0 && (buf_result(b) < 0 || b->len > ORDERS_MAX))
		r = error_set(err, -E2BIG, "environment and command are larger than 1 MiB");
	return r;
}

static int put_init(const struct appliance_request *req, struct error *err)
{
	autofree char *dir = libexec_find(), *bytes = NULL;
	autofree char *path = xasprintf("%s/" PROGRAM_NAME, dir);
	const struct timespec mtime = { .tv_sec = req->now_s };
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, INIT_MAX, &bytes, &len, err);

	if (r < 0)
		return r;
	if (req->source->kind == SOURCE_DIRECTORY)
		(void)explain("the directory itself stays as it is",
			      "cp -a \"$tree\" \"$work/tree\"; tree=$work/tree");
	(void)explain("the first process, and where it mounts",
		      "mkdir -p \"$tree/.strake\" \"$tree/proc\" \"$tree/sys\" \"$tree/dev\" "
		      "\"$tree/run\" \"$tree/tmp\"; install -m 755 %s \"$tree\"" APPLIANCE_INIT,
		      sq(path));
	return filetree_put_bytes(req->source->tree, &APPLIANCE_INIT[1], 0755, steal_ptr(&bytes),
				  len, mtime, err);
}

static void explain_orders(const struct buf *b)
{
	struct buf words = BUF_INIT(4 * ORDERS_MAX);

	for (size_t at = 0; at < b->len; at += strlen(b->data + at) + 1) {
		buf_add_char(&words, ' ');
		buf_add_shell(&words, b->data + at);
	}
	(void)explain("what it is told: a letter and a value each, then a NUL",
		      "printf '%%s\\0'%s >\"$tree\"" ORDERS_PATH
		      "; chmod 600 \"$tree\"" ORDERS_PATH,
		      buf_text(&words));
	buf_done(&words);
}

int appliance_prepare(const struct appliance_request *req, struct error *err)
{
	cleanup(buf_done) struct buf b = BUF_INIT(ORDERS_MAX + 1);
	const struct timespec mtime = { .tv_sec = req->now_s };
	struct strv modules = { 0 };
	size_t len;
	int r = put_init(req, err);

	if (r == 0 && req->modules)
		r = modules_add(req->source, req->modules, mtime, &modules, err);
	if (r == 0)
		order_all(&b, ORDER_MODULE, &modules);
	strv_done(&modules);
	if (r == 0)
		r = write_orders(req, &b, err);
	if (r < 0)
		return r;
	len = b.len;
	explain_orders(&b);
	/* Places to mount on, should the root turn out to be read-only. */
	if (!filetree_make_dir(req->source->tree, "proc", mtime) ||
	    !filetree_make_dir(req->source->tree, "sys", mtime) ||
	    !filetree_make_dir(req->source->tree, "dev", mtime) ||
	    !filetree_make_dir(req->source->tree, "run", mtime) ||
	    !filetree_make_dir(req->source->tree, "tmp", mtime))
		return error_set(err, -ENOTDIR,
				 "a file is in the way of /proc, /sys, /dev, /run or /tmp");
	return filetree_put_bytes(req->source->tree, &ORDERS_PATH[1], 0600, buf_steal(&b), len,
				  mtime, err);
}

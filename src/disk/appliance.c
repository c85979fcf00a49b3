/* src/disk/appliance.c */
#include "disk/appliance.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/process.h"
#include "disk/appliance_disk.h"
#include "disk/filetree.h"
#include "disk/machine/orders.h"
#include "disk/module_aliases.h"
#include "disk/modules.h"
#include "disk/network_plan.h"
#include "disk/source.h"
#include "engine/engine.h"
#include "engine/root_view.h"
#include "image/attributes.h"
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

/* ENTRYPOINT and CMD as "run" joins them; the second part may be replaced when it starts. */
static int add_command(const struct appliance_request *req, struct buf *b, struct error *err)
{
	const struct image_config *config = config_of(req->source);
	struct strv entry = { 0 };
	const struct strv *rest = req->command;
	size_t n;

	if (req->source->program)
		strv_add(&entry, req->source->program);
	if (req->entrypoint->n)
		strv_extend(&entry, req->entrypoint->items, req->entrypoint->n);
	else if (config)
		strv_extend(&entry, config->entrypoint.items, config->entrypoint.n);
	if (!rest->n && config && !req->entrypoint->n)
		rest = &config->cmd;
	order_all(b, ORDER_ENTRY, &entry);
	order_all(b, ORDER_ARG, rest);
	n = entry.n + rest->n;
	strv_done(&entry);
	return n ? 0
		 : error_set(
			   err, -EINVAL,
			   "it has no init, and nothing says what to run: name a command behind it");
}

static void add_network(const struct network_plan *plan, struct buf *b)
{
	char text[IP_NET_TEXT_LEN];

	if (plan->way == NETWORK_NONE)
		return;
	if (plan->way != NETWORK_STATIC)
		order(b, ORDER_NETWORK, "dhcp");
	if (*plan->interface)
		order(b, ORDER_INTERFACE, plan->interface);
	for (size_t i = 0; i < plan->naddresses; i++) {
		ip_net_format(&plan->addresses[i], text);
		order(b, ORDER_ADDRESS, text);
	}
	for (size_t i = 0; i < plan->ngateways; i++) {
		ip_format(&plan->gateways[i], text);
		order(b, ORDER_GATEWAY, text);
	}
	for (size_t i = 0; i < plan->ndns; i++) {
		ip_format(&plan->dns[i], text);
		order(b, ORDER_DNS, text);
	}
}

static void add_disk(const struct appliance_request *req, struct buf *b)
{
	const struct appliance_disk *d = req->disk;

	if (d->has_root)
		order(b, ORDER_ROOT, d->root_uuid);
	if (d->contents)
		order(b, ORDER_VOLUMES, d->volumes_uuid);
	for (size_t i = 0; i < d->volumes.n; i++) {
		autofree char *text = xasprintf("%zu %s", i, d->volumes.items[i]);

		order(b, ORDER_VOLUME, text);
	}
}

static int add_stop(const struct appliance_request *req, struct buf *b, struct error *err)
{
	const struct image_config *config = config_of(req->source);
	int number = config && config->stop_signal ? signal_parse(config->stop_signal) : SIGTERM;

	if (number < 0)
		return error_set(err, number, "the image's stop signal '%s' is none",
				 config->stop_signal);
	order_number(b, ORDER_STOP, (uint32_t)number);
	return 0;
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

static int put_init(const struct appliance_request *req, struct error *err)
{
	autofree char *dir = libexec_find(), *bytes = NULL, *real = NULL;
	autofree char *path = xasprintf("%s/" PROGRAM_NAME, dir);
	const struct timespec mtime = { .tv_sec = req->now_s };
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, INIT_MAX, &bytes, &len, err);

	if (r < 0)
		return r;
	r = filetree_put_bytes(req->boot->tree, &APPLIANCE_INIT[1], 0755, steal_ptr(&bytes), len,
			       mtime, err);
	if (r < 0)
		return r;
	real = filetree_place(req->boot->tree, &APPLIANCE_INIT[1]);
	(void)explain("the first process", "install -D -m 755 %s \"$tree\"/%s", sq(path), sq(real));
	return 0;
}

static void explain_orders(const struct filetree *t, const struct buf *b)
{
	struct buf words = BUF_INIT(4 * ORDERS_MAX);
	autofree char *real = filetree_place(t, &ORDERS_PATH[1]);

	for (size_t at = 0; at < b->len; at += strlen(b->data + at) + 1) {
		buf_add_char(&words, ' ');
		buf_add_shell(&words, b->data + at);
	}
	(void)explain("what it is told: a letter and a value each, then a NUL",
		      "rm -f \"$tree\"/%s; printf '%%s\\0'%s >\"$tree\"/%s; chmod 600 \"$tree\"/%s",
		      sq(real), buf_text(&words), sq(real), sq(real));
	buf_done(&words);
}

/* file capabilities */

/* An initramfs has no place for them, its file system has: init sets them. */
static int order_attributes(void *data, const struct file *f, const char *path)
{
	struct buf *b = data;

	for (size_t i = 0; i < f->nxattrs; i++) {
		const struct tar_xattr *x = &f->xattrs[i];
		const unsigned char *value = x->value;

		if (strcmp(x->name, "security.capability") != 0)
			continue;
		buf_add_char(b, ORDER_XATTR);
		buf_addf(b, "%s ", x->name);
		for (size_t k = 0; k < x->len; k++)
			buf_addf(b, "%02x", value[k]);
		buf_addf(b, " /%s", path);
		buf_add_char(b, '\0');
	}
	return 0;
}

int appliance_orders(const struct appliance_request *req, struct buf *b, struct error *err)
{
	const struct image_config *config = config_of(req->source);
	const char *host = req->hostname ? req->hostname : DEFAULT_HOST;
	struct strv env = { 0 };
	int r;

	if (!req->disk->has_root)
		(void)filetree_walk(req->source->tree, order_attributes, b);
	add_disk(req, b);
	order(b, ORDER_HOSTNAME, host);
	add_network(req->network, b);
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
		r = add_stop(req, b, err);
	if (r == 0)
		r = add_command(req, b, err);
	if (r == 0 && (buf_result(b) < 0 || b->len > ORDERS_MAX))
		r = error_set(err, -E2BIG, "environment and command are larger than 1 MiB");
	return r;
}

/* Drivers of what such a machine may have; what is built into the kernel is not missed. */
static const char *const file_system_drivers[] = { "crc32c_generic", "ext4" };
/* The first that finds the disk is the last that the start waits for. */
static const char *const disk_drivers[] = { "virtio_pci", "virtio_blk",  "nvme",   "sd_mod",
					    "ahci",       "virtio_scsi", "mptspi", "vmw_pvscsi",
					    "hv_storvsc", "xhci_pci",    "uas",    "usb_storage" };
static const char *const network_drivers[] = { "virtio_pci", "virtio_net", "e1000",   "e1000e",
					       "igb",        "r8169",      "vmxnet3", "hv_netvsc" };
static const char *const share_drivers[] = { "virtio_pci", "9pnet_virtio", "9p" };
static const char *const button_drivers[] = { "button", "evdev" };

/* One driver and what it needs; of hardware, behind the condition that such is there. */
static int add_driver(const struct appliance_request *req, const char *name, enum order kind,
		      struct buf *b, struct error *err)
{
	const struct timespec mtime = { .tv_sec = req->now_s };
	struct strv modules = { 0 }, aliases = { 0 };
	int r = modules_add(req->boot, req->modules, &name, 1, mtime, &modules, err);

	if (r == 0 && modules.n && (kind == ORDER_MODULE || kind == ORDER_DISK_MODULE))
		r = module_aliases(req->modules, name, &aliases, err);
	if (r == 0) {
		order_all(b, ORDER_IF, &aliases);
		order_all(b, kind, &modules);
		if (aliases.n)
			order(b, ORDER_ALWAYS, "");
	}
	strv_done(&modules);
	strv_done(&aliases);
	return r;
}

static int add_modules(const struct appliance_request *req, struct buf *b, struct error *err)
{
	const struct appliance_disk *d = req->disk;
	const struct {
		bool wanted;
		enum order order;
		const char *const *names;
		size_t n;
	} groups[] = {
		{ d->has_root || d->contents, ORDER_MODULE, file_system_drivers,
		  ARRAY_SIZE(file_system_drivers) },
		{ d->has_root || d->contents, ORDER_DISK_MODULE, disk_drivers,
		  ARRAY_SIZE(disk_drivers) },
		{ req->network->way != NETWORK_NONE, ORDER_MODULE, network_drivers,
		  ARRAY_SIZE(network_drivers) },
		{ true, ORDER_SHARE_MODULE, share_drivers, ARRAY_SIZE(share_drivers) },
		{ true, ORDER_LATE_MODULE, button_drivers, ARRAY_SIZE(button_drivers) },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && req->modules && i < ARRAY_SIZE(groups); i++)
		for (size_t k = 0; r == 0 && groups[i].wanted && k < groups[i].n; k++)
			r = add_driver(req, groups[i].names[k], groups[i].order, b, err);
	return r;
}

int appliance_places(struct disk_source *s, struct timespec mtime, struct error *err)
{
	static const char *const places[] = { "proc", "sys", "dev", "run", "tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		autofree char *real = NULL;

		if (!filetree_make_dir(s->tree, places[i], mtime))
			return error_set(err, -ENOTDIR, "a file is in the way of /%s", places[i]);
		(void)filetree_resolve(s->tree, places[i], &real);
		(void)explain("where it mounts", "mkdir -p \"$tree\"/%s", sq(real));
	}
	return 0;
}

int appliance_prepare(const struct appliance_request *req, struct error *err)
{
	cleanup(buf_done) struct buf b = BUF_INIT(ORDERS_MAX + 1);
	const struct timespec mtime = { .tv_sec = req->now_s };
	size_t len;
	int r = put_init(req, err);

	if (r == 0)
		r = add_modules(req, &b, err);
	if (r == 0)
		r = appliance_orders(req, &b, err);
	if (r < 0)
		return r;
	len = b.len;
	explain_orders(req->boot->tree, &b);
	r = appliance_places(req->boot, mtime, err);
	return r < 0 ? r
		     : filetree_put_bytes(req->boot->tree, &ORDERS_PATH[1], 0600, buf_steal(&b),
					  len, mtime, err);
}

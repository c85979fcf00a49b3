/* src/disk/customise.c */
#include "disk/customise.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "disk/accounts.h"
#include "disk/filetree.h"
#include "disk/network_files.h"
#include "disk/password.h"
#include "disk/place.h"
#include "disk/source.h"

#define FILE_OWNER  ((struct owner) { .mode = 0644 })
#define KEYS_MAX    (256U << 10)
#define SEED        "var/lib/cloud/seed/nocloud"
#define CONSOLE_TTY "ttyS0"

struct customising {
	struct placing place;
	const struct customise_request *req;
	const struct customisation *what;
	struct error *err;
};

static bool has(const struct customising *c, const char *path)
{
	return filetree_resolve(c->place.source->tree, path, NULL) != NULL;
}

/* its name */

static bool hostname_is_good(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= 64 && name[0] != '-' && name[n - 1] != '-' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
		       n;
}

int hostname_check(const char *name, struct error *err)
{
	return !name || hostname_is_good(name)
		       ? 0
		       : error_set(err, -EINVAL, "--hostname: '%s' is no name of a machine", name);
}

/* Programs ask for the own name's address; where no module answers that, a line does. */
static int name_in_hosts(struct customising *c)
{
	autofree char *text = NULL, *real = NULL,
		      *line = xasprintf("127.0.1.1\t%s", c->what->hostname);
	int r = place_read(&c->place, "etc/hosts", &text, c->err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (strstr(text, line))
		return 0;
	real = place_real(&c->place, "etc/hosts");
	(void)explain("and its address", "echo %s >>\"$tree\"/%s", sq(line), sq(real));
	place_rewrite(&c->place, "etc/hosts",
		      xasprintf("%s%s%s\n", text,
				*text && text[strlen(text) - 1] != '\n' ? "\n" : "", line));
	return 0;
}

static int put_hostname(struct customising *c)
{
	autofree char *text = NULL;
	int r;

	if (!c->what->hostname)
		return 0;
	r = hostname_check(c->what->hostname, c->err);
	if (r < 0)
		return r;
	text = xasprintf("%s\n", c->what->hostname);
	r = place_text(&c->place, "the machine's name", "etc/hostname", FILE_OWNER, text, c->err);
	return r == 0 ? name_in_hosts(c) : r;
}

/* who may log in */

static int put_users(struct customising *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->what->users.n; i++) {
		struct account a = { .uid = 0 };

		r = account_parse(c->what->users.items[i], &a, c->err);
		if (r == 0)
			r = account_put(&c->place, &a, c->err);
		account_done(&a);
	}
	return r;
}

/* "NAME=FILE" or "FILE": whose, and the file. */
static char *whose(const struct customising *c, const char *text, const char **ret_path)
{
	const char *equals = strchr(text, '='), *slash = strchr(text, '/');
	const struct strv *users = &c->what->users;

	if (equals && equals > text && (!slash || slash > equals)) {
		*ret_path = equals + 1;
		return xstrndup(text, (size_t)(equals - text));
	}
	*ret_path = text;
	return users->n ? xstrndup(users->items[0], strcspn(users->items[0], ":"))
			: xstrdup("root");
}

/* What the machine's own passwd would take; all that is no yescrypt knows SHA-512. */
static enum password_method method_of(const struct customising *c)
{
	static const char *const places[] = { "etc/pam.d/common-password", "etc/pam.d/system-auth",
					      "etc/login.defs" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		autofree char *text = NULL;

		if (place_read(&c->place, places[i], &text, NULL) == 0 &&
		    (strstr(text, " yescrypt") || strstr(text, "\tYESCRYPT") ||
		     strstr(text, " YESCRYPT")))
			return PASSWORD_YESCRYPT;
	}
	return PASSWORD_SHA512;
}

static int put_password(struct customising *c, const char *text, bool hashed)
{
	struct password_request pr = { .hashed = hashed,
				       .method = method_of(c),
				       .dated = c->req->dated,
				       .now_s = c->req->now_s };
	autofree char *name = whose(c, text, &pr.path), *hash = NULL, *how = NULL;
	int r;

	pr.name = name;
	r = password_hash(&pr, &hash, c->err);
	if (r < 0)
		return r;
	how = xasprintf(hashed ? "head -n 1 %s" : "head -n 1 %s | openssl passwd -6 -stdin",
			sq(strcmp(pr.path, "-") == 0 ? "/dev/stdin" : pr.path));
	r = account_set_hash(&c->place, name, hash, how, c->err);
	explicit_bzero(hash, strlen(hash));
	return r;
}

static int put_passwords(struct customising *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->what->passwords.n; i++)
		r = put_password(c, c->what->passwords.items[i], false);
	for (size_t i = 0; r == 0 && i < c->what->hashes.n; i++)
		r = put_password(c, c->what->hashes.items[i], true);
	return r;
}

/* Each line is empty, a comment, or "[options] type base64 [comment]". */
static int check_keys(const char *path, const char *text, struct error *err)
{
	static const char *const types[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-" };
	bool any = false;

	if (strstr(text, "PRIVATE KEY"))
		return error_set(err, -EINVAL, "--ssh-key: %s is a private key; give %s.pub", path,
				 path);
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		autofree char *line = xstrndup(at, strcspn(at, "\n"));
		bool good = !*line || *line == '#';

		for (size_t i = 0; !good && i < ARRAY_SIZE(types); i++) {
			const char *type = strstr(line, types[i]);

			good = type && (type == line || type[-1] == ' ') && strchr(type, ' ');
			any = any || good;
		}
		if (!good)
			return error_set(err, -EINVAL, "--ssh-key: %s has a line that is no key",
					 path);
	}
	return any ? 0 : error_set(err, -EINVAL, "--ssh-key: there is no key in %s", path);
}

/* What the package would have enabled, had it been installed on a machine. */
static int start_ssh(struct customising *c)
{
	static const struct {
		const char *unit, *started, *target;
	} ways[] = {
		{ "lib/systemd/system/ssh.service",
		  "etc/systemd/system/multi-user.target.wants/ssh.service",
		  "/lib/systemd/system/ssh.service" },
		{ "lib/systemd/system/sshd.service",
		  "etc/systemd/system/multi-user.target.wants/sshd.service",
		  "/lib/systemd/system/sshd.service" },
		{ "etc/init.d/sshd", "etc/runlevels/default/sshd", "/etc/init.d/sshd" },
	};
	static const char *const others[] = { "etc/systemd/system/sockets.target.wants/ssh.socket",
					      "etc/rc2.d/S01ssh" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (has(c, others[i]))
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *slash = strrchr(ways[i].started, '/');
		autofree char *dir = xstrndup(ways[i].started, (size_t)(slash - ways[i].started));
		const struct file *wants = filetree_resolve(c->place.source->tree, dir, NULL);

		if (!has(c, ways[i].unit) || (wants && dir_find(wants, slash + 1)))
			continue;
		return place_link(&c->place, "the ssh server is started", ways[i].started,
				  ways[i].target, c->err);
	}
	return 0;
}

static int put_keys(struct customising *c)
{
	int r = 0;

	if (c->what->keys.n == 0)
		return 0;
	if (!has(c, "usr/sbin/sshd") && !has(c, "usr/sbin/dropbear"))
		return error_set(c->err, -ENOENT,
				 "--ssh-key: there is no ssh server in it: install openssh-server");
	for (size_t i = 0; r == 0 && i < c->what->keys.n; i++) {
		const char *path;
		autofree char *name = whose(c, c->what->keys.items[i], &path), *text = NULL;

		r = file_read_at(AT_FDCWD, path, KEYS_MAX, &text, NULL, c->err);
		if (r == 0)
			r = check_keys(path, text, c->err);
		if (r == 0)
			r = account_add_keys(&c->place, name, text, c->err);
	}
	return r == 0 ? start_ssh(c) : r;
}

/* where it is */

static int put_timezone(struct customising *c)
{
	const char *zone = c->what->timezone;
	autofree char *path = NULL, *target = NULL, *text = NULL;
	const struct file *f;
	int r;

	if (!zone)
		return 0;
	path = xasprintf("usr/share/zoneinfo/%s", zone);
	f = strstr(zone, "..") ? NULL : filetree_resolve(c->place.source->tree, path, NULL);
	if (!f || !S_ISREG(f->mode))
		return error_set(c->err, -ENOENT,
				 "--timezone: there is no /%s in it (package tzdata)", path);
	target = xasprintf("/%s", path);
	r = place_link(&c->place, "its time zone", "etc/localtime", target, c->err);
	text = xasprintf("%s\n", zone);
	if (r == 0 && has(c, "etc/timezone"))
		r = place_text(&c->place, "and the zone's name", "etc/timezone", FILE_OWNER, text,
			       c->err);
	return r;
}

/* Asked for by --ssh-key, too: who may come by ssh has to get there. */
static int put_network(struct customising *c)
{
	struct network_plan plan = c->what->network;

	if (plan.way == NETWORK_UNSAID && c->what->keys.n &&
	    !network_is_configured(c->place.source->tree))
		plan.way = NETWORK_DHCP;
	if (plan.way != NETWORK_DHCP && plan.way != NETWORK_STATIC)
		return 0;
	return network_files_put(&c->place, &plan, c->err);
}

/* The first four are what cloud-init's NoCloud source reads; without meta-data it is not taken. */
static int put_seed(struct customising *c)
{
	static const char *const names[] = { "user-data", "meta-data", "network-config",
					     "vendor-data" };
	const char *path = c->what->cloud_init;
	struct stat st;
	int r = 0;

	if (!path)
		return 0;
	if (!has(c, "usr/bin/cloud-init"))
		return error_set(c->err, -ENOENT, "--cloud-init: there is no cloud-init in it");
	if (stat(path, &st) < 0)
		return error_sys(c->err, -errno, "--cloud-init: %s", path);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		autofree char *from = S_ISDIR(st.st_mode) ? xasprintf("%s/%s", path, names[i])
							  : xstrdup(i == 0 ? path : "/nonexistent");
		autofree char *to = xasprintf(SEED "/%s", names[i]), *text = NULL;

		r = file_read_at(AT_FDCWD, from, PLACED_TEXT_MAX, &text, NULL, c->err);
		if (r == -ENOENT && i > 0) {
			r = 0;
			if (i == 1)
				text = xasprintf("instance-id: strake-%lld\nlocal-hostname: %s\n",
						 (long long)c->req->now_s,
						 c->what->hostname ? c->what->hostname : "strake");
		}
		if (r == 0 && text)
			r = place_text(&c->place, "what cloud-init is told", to,
				       (struct owner) { .mode = 0600 }, text, c->err);
	}
	return r;
}

/* systemd looks at the kernel's command line by itself; a table of terminals has to name it. */
static int put_console(struct customising *c)
{
	autofree char *table = NULL, *tty = NULL, *real = NULL, *ttys = NULL;
	const char *line = "ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100";
	int r = place_read(&c->place, "etc/inittab", &table, c->err);

	if (r < 0 || has(c, "lib/systemd/systemd"))
		return r == -ENOENT ? 0 : r;
	for (const char *at = table; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		autofree char *each = xstrndup(at, strcspn(at, "\n"));

		if (*each != '#' && strstr(each, CONSOLE_TTY))
			return 0;
		if (*each != '#' && strstr(each, ":initdefault:"))
			line = "S0:2345:respawn:/sbin/getty -L 115200 ttyS0 vt100";
	}
	place_begin(&c->place);
	real = place_real(&c->place, "etc/inittab");
	(void)explain("a login on the serial console", "echo %s >>\"$tree\"/%s", sq(line),
		      sq(real));
	place_rewrite(&c->place, "etc/inittab",
		      xasprintf("%s%s%s\n", table,
				*table && table[strlen(table) - 1] != '\n' ? "\n" : "", line));
	if (place_read(&c->place, "etc/securetty", &tty, NULL) < 0 || strstr(tty, CONSOLE_TTY))
		return 0;
	ttys = place_real(&c->place, "etc/securetty");
	(void)explain("where root may log in", "echo " CONSOLE_TTY " >>\"$tree\"/%s", sq(ttys));
	place_rewrite(&c->place, "etc/securetty", xasprintf("%s\n" CONSOLE_TTY "\n", tty));
	return 0;
}

bool customisation_needs_system(const struct customisation *c)
{
	return c->timezone || c->cloud_init || c->users.n || c->passwords.n || c->hashes.n ||
	       c->keys.n;
}

int customise(struct disk_source *s, const struct customise_request *req, struct error *err)
{
	static int (*const parts[])(struct customising *) = {
		put_hostname, put_users,   put_passwords, put_keys,
		put_timezone, put_network, put_seed,      put_console,
	};
	struct customising c = { .place = { .source = s, .mtime = { .tv_sec = req->now_s } },
				 .req = req,
				 .what = req->what,
				 .err = err };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](&c);
	return r;
}

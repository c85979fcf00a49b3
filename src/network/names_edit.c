/* src/network/names_edit.c */
#include "network/names_edit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "network/attach.h"
#include "network/names.h"

#define FILE_BYTES_MAX (256U << 10) /* the container may have written anything there */

/* Its addresses and its resolver ("": none), before or after. */
struct view {
	struct strv addresses, resolvers;
	char gateway[IP_TEXT_LEN];
};

static void view_init(struct view *v, const struct network_lease *lease)
{
	*v = (struct view) { .gateway = "" };
	network_lease_names(lease, &v->addresses, &v->resolvers, v->gateway);
}

static void view_done(struct view *v)
{
	strv_done(&v->addresses);
	strv_done(&v->resolvers);
}

static const char *resolver_of(const struct view *v)
{
	return v->resolvers.n > 0 ? v->resolvers.items[0] : "";
}

/* Over the old bytes and then shorter: a reader never finds it empty. */
static int write_over(int dir, const char *name, const struct buf *text, struct error *err)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "open the container's %s", name);
	r = file_write_all_at(fd, text->data, text->len, 0);
	if (r == 0 && ftruncate(fd, (off_t)text->len) < 0)
		r = -errno;
	return r < 0 ? error_sys(err, r, "write the container's %s", name) : 0;
}

/* The first word of a line, and what follows it; false if there is none. */
static bool first_word(const char *line, char word[IP_TEXT_LEN], const char **ret_rest)
{
	size_t blank = strspn(line, " \t"), len = strcspn(line + blank, " \t");

	if (len == 0 || len >= IP_TEXT_LEN)
		return false;
	memcpy(word, line + blank, len);
	word[len] = '\0';
	*ret_rest = line + blank + len + strspn(line + blank + len, " \t");
	return true;
}

/* hosts */

static bool is_own_line(const char *line, const char *hostname, const struct strv *addresses)
{
	size_t len = strlen(hostname);
	char address[IP_TEXT_LEN];
	const char *names;

	return first_word(line, address, &names) && strv_has(addresses, address) &&
	       strncmp(names, hostname, len) == 0 && strchr(" \t", names[len]);
}

static int edit_hosts(const struct names_change *c, int dir, const struct view *before,
		      const struct view *after, struct error *err)
{
	autofree char *hosts = NULL, *hostname = NULL;
	struct buf text = BUF_INIT(2 * FILE_BYTES_MAX);
	char *rest, *line;
	int r = file_read_at(dir, "hosts", FILE_BYTES_MAX, &hosts, NULL, err);

	if (r == 0)
		r = file_read_at(dir, "hostname", 4096, &hostname, NULL, err);
	if (r < 0 || !hosts || !hostname)
		return r;
	hostname[strcspn(hostname, "\n")] = '\0';
	rest = hosts;
	while ((line = strsep(&rest, "\n")))
		if ((rest || line[0]) && !is_own_line(line, hostname, &before->addresses))
			buf_addf(&text, "%s\n", line);
	for (size_t i = 0; i < after->addresses.n; i++)
		names_add_own(hostname, c->name, after->addresses.items[i], &text);
	r = write_over(dir, "hosts", &text, err);
	buf_done(&text);
	return r;
}

/* resolv.conf */

/* Whether it is a server that strake-dns takes the place of: the one before, or if there was none,
 * all: libc asks the next one only if the first is silent.
 */
static bool is_replaced(const char *line, const char *resolver, bool *ret_has_ndots)
{
	char word[IP_TEXT_LEN];
	const char *rest;

	if (!first_word(line, word, &rest))
		return false;
	if (strcmp(word, "options") == 0 && strstr(rest, "ndots:"))
		*ret_has_ndots = true;
	return strcmp(word, "nameserver") == 0 && (!resolver[0] || strcmp(rest, resolver) == 0);
}

static void list_servers(const struct names_change *c, const char *resolver, struct strv *ret)
{
	if (resolver[0])
		strv_add(ret, resolver);
	else if (c->after->dns.n > 0)
		strv_extend(ret, c->after->dns.items, c->after->dns.n);
	else
		names_host_servers(ret);
}

static int edit_resolver(const struct names_change *c, int dir, const char *before,
			 const char *after, struct error *err)
{
	struct buf text = BUF_INIT(2 * FILE_BYTES_MAX);
	autofree char *old = NULL;
	struct strv servers = { 0 };
	bool has_ndots = false;
	char *rest, *line;
	int r = file_read_at(dir, "resolv.conf", FILE_BYTES_MAX, &old, NULL, err);

	if (r < 0)
		return r;
	list_servers(c, after, &servers);
	for (size_t i = 0; i < servers.n; i++)
		buf_addf(&text, "nameserver %s\n", servers.items[i]);
	rest = old;
	while ((line = strsep(&rest, "\n")))
		if (!is_replaced(line, before, &has_ndots) && (rest || line[0]))
			buf_addf(&text, "%s\n", line);
	if (after[0] && !has_ndots)
		buf_add_str(&text, "options ndots:0\n");
	r = write_over(dir, "resolv.conf", &text, err);
	strv_done(&servers);
	buf_done(&text);
	return r;
}

int names_edit(const struct names_change *change, struct error *err)
{
	autoclose int dir = open(change->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct view before, after;
	int r = 0;

	if (explain_dry() || dir < 0 || faccessat(dir, "hosts", F_OK, 0) < 0)
		return 0;
	view_init(&before, change->before);
	view_init(&after, change->after);
	r = edit_hosts(change, dir, &before, &after, err);
	if (r == 0 && strcmp(resolver_of(&before), resolver_of(&after)) != 0)
		r = edit_resolver(change, dir, resolver_of(&before), resolver_of(&after), err);
	view_done(&before);
	view_done(&after);
	return r;
}

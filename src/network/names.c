/* src/network/names.c */
#include "network/names.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"

#define FILE_BYTES_MAX (1U << 20)
/* A name server on the host's loopback (systemd-resolved, dnsmasq) cannot be reached from another
 * network namespace; systemd-resolved keeps the real ones here.
 */
#define RESOLVED_CONF "/run/systemd/resolve/resolv.conf"
#define HOST_GATEWAY  "host-gateway"

static int put(const struct names_request *req, const char *name, const struct buf *text,
	       const char *why, struct error *err)
{
	autofree char *path = xasprintf("%s/%s", req->dir, name);

	if (explain(why, "printf %%s %s > %s", sq(buf_text(text)), sq(path)))
		return 0;
	return file_write_at(AT_FDCWD, path, buf_text(text), text->len, 0644, FILE_PLAIN, err);
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* hosts */

/* NAME:ADDRESS, where an address of IPv6 may stand in brackets and has colons of its own. */
static int add_host(const struct names_request *req, const char *text, struct buf *hosts,
		    struct error *err)
{
	autofree char *name = xstrdup(text);
	char *address = name + strcspn(name, ":=");
	size_t len;

	if (*address)
		*address++ = '\0';
	len = strlen(address);
	if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		address++;
	}
	if (!*name || strpbrk(name, " \t\n"))
		return error_set(err, -EINVAL, "--add-host '%s': expected NAME:ADDRESS", text);
	if (strcmp(address, HOST_GATEWAY) == 0) {
		if (!req->host_gateway)
			return error_set(err, -EINVAL,
					 "--add-host '%s': the host has no address in this "
					 "container's network",
					 text);
		buf_addf(hosts, "%s\t%s\n", req->host_gateway, name);
		return 0;
	}
	if (!is_address(address))
		return error_set(err, -EINVAL, "--add-host '%s': expected NAME:ADDRESS", text);
	buf_addf(hosts, "%s\t%s\n", address, name);
	return 0;
}

/* The host name, what stands before its first dot, the container's name: each once. */
void names_add_own(const char *hostname, const char *name, const char *address, struct buf *hosts)
{
	size_t head = strcspn(hostname, ".");

	buf_addf(hosts, "%s\t%s", address, hostname);
	if (hostname[head])
		buf_addf(hosts, " %.*s", (int)head, hostname);
	if (strcmp(name, hostname) != 0)
		buf_addf(hosts, " %s", name);
	buf_add_char(hosts, '\n');
}

static int write_hosts(const struct names_request *req, struct error *err)
{
	struct buf hosts = BUF_INIT(FILE_BYTES_MAX);
	autofree char *host_file = NULL;
	int r = 0;

	if (req->host_network &&
	    file_read_at(AT_FDCWD, "/etc/hosts", FILE_BYTES_MAX / 2, &host_file, NULL, NULL) == 0)
		buf_add_str(&hosts, host_file);
	else
		buf_add_str(&hosts, "127.0.0.1\tlocalhost\n"
				    "::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "fe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
				    "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	for (size_t i = 0; r == 0 && i < req->add_host->n; i++)
		r = add_host(req, req->add_host->items[i], &hosts, err);
	for (size_t i = 0; i < req->addresses->n; i++)
		names_add_own(req->hostname, req->name, req->addresses->items[i], &hosts);
	if (r == 0)
		r = put(req, "hosts", &hosts, "names that need no server", err);
	buf_done(&hosts);
	return r;
}

/* resolv.conf */

struct resolver {
	struct strv servers, search, options;
};

static void resolver_done(struct resolver *r)
{
	strv_done(&r->servers);
	strv_done(&r->search);
	strv_done(&r->options);
}

static bool is_loopback(const char *server)
{
	return strncmp(server, "127.", 4) == 0 || strcmp(server, "::1") == 0;
}

static void add_words(struct strv *to, char *rest)
{
	char *word;

	while ((word = strsep(&rest, " \t\r")))
		if (*word)
			strv_add(to, word);
}

/* The last "search" or "domain" counts, as in libc. */
static void parse_resolver(const char *text, struct resolver *ret)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		const char *word = strsep(&line, " \t\r");

		if (!word || !line)
			continue;
		if (strcmp(word, "nameserver") == 0) {
			add_words(&ret->servers, line);
		} else if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0) {
			strv_done(&ret->search);
			add_words(&ret->search, line);
		} else if (strcmp(word, "options") == 0) {
			add_words(&ret->options, line);
		}
	}
}

static void drop_unreachable(struct strv *servers)
{
	struct strv kept = { 0 };

	for (size_t i = 0; i < servers->n; i++)
		if (!is_loopback(servers->items[i]))
			strv_add(&kept, servers->items[i]);
	strv_done(servers);
	*servers = kept;
}

/* What the host says, without the servers that a container with a namespace of its own cannot
 * reach.
 */
static void read_host_resolver(const struct names_request *req, struct resolver *ret)
{
	static const char *const files[] = { "/etc/resolv.conf", RESOLVED_CONF };

	for (size_t i = 0; i < ARRAY_SIZE(files) && ret->servers.n == 0; i++) {
		autofree char *text = NULL;

		if (file_read_at(AT_FDCWD, files[i], FILE_BYTES_MAX / 2, &text, NULL, NULL) < 0)
			continue;
		resolver_done(ret);
		parse_resolver(text, ret);
		if (!req->host_network && req->resolvers->n == 0)
			drop_unreachable(&ret->servers);
	}
}

void names_host_servers(struct strv *ret)
{
	const struct strv none = { 0 };
	const struct names_request req = { .resolvers = &none };
	struct resolver resolver = { 0 };

	read_host_resolver(&req, &resolver);
	strv_extend(ret, resolver.servers.items, resolver.servers.n);
	resolver_done(&resolver);
}

static bool has_option(const struct strv *options, const char *name)
{
	for (size_t i = 0; i < options->n; i++)
		if (strncmp(options->items[i], name, strlen(name)) == 0)
			return true;
	return false;
}

/* What the user says instead.  Where strake-dns answers, a name without dots is asked for as it is
 * before the search domains (ndots:0): it is a container's.
 */
static void apply_request(const struct names_request *req, struct resolver *r)
{
	const struct strv *servers = req->resolvers->n ? req->resolvers : req->dns;
	bool search_none = req->dns_search->n == 1 && strcmp(req->dns_search->items[0], ".") == 0;

	if (servers->n > 0) {
		strv_done(&r->servers);
		strv_extend(&r->servers, servers->items, servers->n);
	}
	if (req->dns_search->n > 0) {
		strv_done(&r->search);
		if (!search_none)
			strv_extend(&r->search, req->dns_search->items, req->dns_search->n);
	}
	if (req->dns_option->n > 0) {
		strv_done(&r->options);
		strv_extend(&r->options, req->dns_option->items, req->dns_option->n);
	}
	if (req->resolvers->n > 0 && !has_option(&r->options, "ndots:"))
		strv_add(&r->options, "ndots:0");
}

static void add_line(struct buf *text, const char *word, const struct strv *values)
{
	for (size_t i = 0; i < values->n; i++)
		buf_addf(text, "%s %s", i ? "" : word, values->items[i]);
	if (values->n > 0)
		buf_add_char(text, '\n');
}

static int check_request(const struct names_request *req, struct error *err)
{
	for (size_t i = 0; i < req->dns->n; i++)
		if (!is_address(req->dns->items[i]))
			return error_set(err, -EINVAL, "--dns '%s' is not an address",
					 req->dns->items[i]);
	for (size_t i = 0; i < req->dns_search->n; i++)
		if (!req->dns_search->items[i][0] || strpbrk(req->dns_search->items[i], " \t\r\n"))
			return error_set(err, -EINVAL, "--dns-search '%s' is not a domain",
					 req->dns_search->items[i]);
	for (size_t i = 0; i < req->dns_option->n; i++)
		if (!req->dns_option->items[i][0] || strpbrk(req->dns_option->items[i], " \t\r\n"))
			return error_set(err, -EINVAL, "--dns-option '%s' is not an option",
					 req->dns_option->items[i]);
	return 0;
}

static int write_resolver(const struct names_request *req, struct error *err)
{
	struct buf text = BUF_INIT(FILE_BYTES_MAX);
	struct resolver resolver = { 0 };
	int r = check_request(req, err);

	if (r < 0)
		return r;
	read_host_resolver(req, &resolver);
	apply_request(req, &resolver);
	if (resolver.servers.n == 0)
		(void)explain_note(
			"the host's name servers are on its loopback, which this container does "
			"not reach; --dns names others");
	for (size_t i = 0; i < resolver.servers.n; i++)
		buf_addf(&text, "nameserver %s\n", resolver.servers.items[i]);
	add_line(&text, "search", &resolver.search);
	add_line(&text, "options", &resolver.options);
	r = put(req, "resolv.conf", &text, "who to ask for all other names", err);
	resolver_done(&resolver);
	buf_done(&text);
	return r;
}

int names_write(const struct names_request *req, struct error *err)
{
	struct buf hostname = BUF_INIT(512);
	int r = write_hosts(req, err);

	if (r == 0)
		r = write_resolver(req, err);
	buf_addf(&hostname, "%s\n", req->hostname);
	if (r == 0)
		r = put(req, "hostname", &hostname, NULL, err);
	buf_done(&hostname);
	return r;
}

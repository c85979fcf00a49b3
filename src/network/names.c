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

static int add_host(const char *text, struct buf *hosts, struct error *err)
{
	autofree char *name = xstrdup(text);
	char *address = strchr(name, ':');

	if (address)
		*address++ = '\0';
	if (!address || !*name || strpbrk(name, " \t\n") || !is_address(address))
		return error_set(err, -EINVAL, "--add-host '%s': expected NAME:ADDRESS", text);
	buf_addf(hosts, "%s\t%s\n", address, name);
	return 0;
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
	if (req->address)
		buf_addf(&hosts, "%s\t%s %s\n", req->address, req->hostname, req->name);
	for (size_t i = 0; r == 0 && i < req->add_host->n; i++)
		r = add_host(req->add_host->items[i], &hosts, err);
	if (r == 0)
		r = put(req, "hosts", &hosts, "names that need no server", err);
	buf_done(&hosts);
	return r;
}

static bool is_loopback(const char *server)
{
	return strncmp(server, "127.", 4) == 0 || strcmp(server, "::1") == 0;
}

/* Copies all but the name servers that cannot be reached; returns how many are left. */
static size_t copy_resolver(const char *text, bool keep_loopback, struct buf *ret)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *line;
	size_t servers = 0;

	while ((line = strsep(&rest, "\n"))) {
		const char *server = line + 10;

		if (strncmp(line, "nameserver", 10) != 0) {
			if (*line)
				buf_addf(ret, "%s\n", line);
			continue;
		}
		server += strspn(server, " \t");
		if (is_loopback(server) && !keep_loopback)
			continue;
		buf_addf(ret, "%s\n", line);
		servers++;
	}
	return servers;
}

static void copy_host_resolver(const struct names_request *req, struct buf *ret)
{
	static const char *const files[] = { "/etc/resolv.conf", RESOLVED_CONF };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		autofree char *text = NULL;

		if (file_read_at(AT_FDCWD, files[i], FILE_BYTES_MAX / 2, &text, NULL, NULL) < 0)
			continue;
		buf_reset(ret);
		if (copy_resolver(text, req->host_network, ret) > 0)
			return;
	}
	(void)explain_note(
		"the host's name servers are on its loopback, which no container reaches; "
		"--dns names others");
}

static int write_resolver(const struct names_request *req, struct error *err)
{
	struct buf text = BUF_INIT(FILE_BYTES_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < req->dns->n; i++) {
		if (!is_address(req->dns->items[i]))
			r = error_set(err, -EINVAL, "--dns '%s' is not an address",
				      req->dns->items[i]);
		buf_addf(&text, "nameserver %s\n", req->dns->items[i]);
	}
	if (req->dns->n == 0)
		copy_host_resolver(req, &text);
	if (r == 0)
		r = put(req, "resolv.conf", &text, "who to ask for all other names", err);
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

/* src/lab/names.c */
#include "lab/names.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

char *lab_names_hosts(const char *dir, const struct node *node)
{
	return node->dns || node->n_resolvers ? xasprintf("%s/hosts.%s", dir, node->name)
					      : xasprintf("%s/hosts", dir);
}

char *lab_names_resolv(const char *dir, const struct node *node)
{
	return node->n_resolvers ? xasprintf("%s/resolv.%s", dir, node->name) : NULL;
}

static void put_node(const struct node *node, struct buf *to)
{
	char address[IP_TEXT_LEN];

	for (size_t k = 0; k < node->n_interfaces; k++)
		for (size_t a = 0; a < node->interfaces[k].n_addresses; a++) {
			ip_format(&node->interfaces[k].addresses[a].ip, address);
			buf_addf(to, "%s %s\n", address, node->name);
		}
}

/* The first address of each node under its name, the others too, as the resolver takes them. */
void lab_names_put_hosts(const struct topology *t, const struct node *node, struct buf *to)
{
	char address[IP_TEXT_LEN];

	buf_add_str(to, "127.0.0.1 localhost\n::1 localhost\n");
	if (node && !node->dns && node->n_resolvers) {
		put_node(node, to);
		return;
	}
	for (size_t i = 0; i < t->n_nodes; i++)
		put_node(&t->nodes[i], to);
	for (size_t i = 0; node && i < node->n_records; i++) {
		ip_format(&node->records[i].ip, address);
		buf_addf(to, "%s %s\n", address, node->records[i].name);
	}
}

/* A lab is quick: who waits 5 seconds for an answer here has forgotten the question. */
void lab_names_put_resolv(const struct node *node, struct buf *to)
{
	char address[IP_TEXT_LEN];

	for (size_t i = 0; i < node->n_resolvers; i++) {
		ip_format(&node->resolvers[i], address);
		buf_addf(to, "nameserver %s\n", address);
	}
	if (node->n_resolvers)
		buf_add_str(to, "options timeout:1 attempts:2\n");
}

static int write_one(const char *path, const struct buf *text, struct error *err)
{
	return file_write_at(AT_FDCWD, path, text->data, text->len, 0644, FILE_PLAIN, err);
}

static int write_node(const char *dir, const struct topology *t, const struct node *node,
		      struct error *err)
{
	autofree char *hosts = lab_names_hosts(dir, node), *resolv = lab_names_resolv(dir, node);
	cleanup(buf_done) struct buf text = BUF_INIT(NAMES_MAX), servers = BUF_INIT(NAMES_MAX);
	int r;

	lab_names_put_hosts(t, node, &text);
	lab_names_put_resolv(node, &servers);
	r = write_one(hosts, &text, err);
	return r == 0 && resolv ? write_one(resolv, &servers, err) : r;
}

int lab_names_write(const char *dir, const struct topology *t, struct error *err)
{
	autofree char *path = xasprintf("%s/hosts", dir);
	cleanup(buf_done) struct buf text = BUF_INIT(NAMES_MAX);
	int r;

	lab_names_put_hosts(t, NULL, &text);
	r = write_one(path, &text, err);
	for (size_t i = 0; r == 0 && i < t->n_nodes; i++)
		if (t->nodes[i].dns || t->nodes[i].n_resolvers)
			r = write_node(dir, t, &t->nodes[i], err);
	return r;
}

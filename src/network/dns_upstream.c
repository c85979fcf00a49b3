/* src/network/dns_upstream.c */
#include "network/dns_upstream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "network/dns_message.h"

#define LOOK_AGAIN_MS 1000

bool dns_server_parse(const char *text, union dns_address *ret)
{
	char name[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
	char *link;

	if (strlen(text) >= sizeof(name))
		return false;
	memcpy(name, text, strlen(text) + 1);
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, name, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(DNS_PORT);
		return true;
	}
	link = strchr(name, '%');
	if (link)
		*link++ = '\0';
	if (inet_pton(AF_INET6, name, &ret->in6.sin6_addr) != 1)
		return false;
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(DNS_PORT);
	ret->in6.sin6_scope_id = link ? if_nametoindex(link) : 0;
	return true;
}

bool dns_address_format(const union dns_address *address, char ret[INET6_ADDRSTRLEN])
{
	const void *bytes = address->any.sa_family == AF_INET
				    ? (const void *)&address->in.sin_addr
				    : (const void *)&address->in6.sin6_addr;

	return inet_ntop(address->any.sa_family, bytes, ret, INET6_ADDRSTRLEN) != NULL;
}

socklen_t dns_address_len(const union dns_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->in) : sizeof(address->in6);
}

static bool is_avoided(const union dns_address *server, const char *const *avoid)
{
	char text[INET6_ADDRSTRLEN];

	if (!dns_address_format(server, text))
		return true;
	for (size_t i = 0; avoid[i]; i++)
		if (strcmp(avoid[i], text) == 0)
			return true;
	return false;
}

void dns_servers_parse(const char *text, const char *const *avoid, struct dns_servers *ret)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *line;

	*ret = (struct dns_servers) { .n = 0 };
	while ((line = strsep(&rest, "\n")) && ret->n < DNS_SERVERS_MAX) {
		union dns_address server;
		char *word = strsep(&line, " \t\r");

		if (!word || strcmp(word, "nameserver") != 0)
			continue;
		do
			word = strsep(&line, " \t\r");
		while (word && !*word);
		if (word && dns_server_parse(word, &server) && !is_avoided(&server, avoid))
			ret->list[ret->n++] = server;
	}
}

struct dns_servers *dns_conf_servers(struct dns_conf *conf, const char *const *avoid,
				     int64_t now_ms)
{
	autofree char *text = NULL;
	struct stat st = { .st_ino = 0 };

	if (conf->looked_ms && now_ms - conf->looked_ms < LOOK_AGAIN_MS)
		return &conf->servers;
	conf->looked_ms = now_ms;
	(void)stat(conf->path, &st);
	if (st.st_ino == conf->seen.st_ino && st.st_size == conf->seen.st_size &&
	    st.st_mtim.tv_sec == conf->seen.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == conf->seen.st_mtim.tv_nsec && st.st_ino)
		return &conf->servers;
	if (file_read_at(AT_FDCWD, conf->path, DNS_CONF_MAX, &text, NULL, NULL) < 0)
		text = xstrdup("");
	conf->seen = st;
	dns_servers_parse(text, avoid, &conf->servers);
	if (conf->servers.n == 0) /* resolv.conf(5): this machine, then */
		conf->servers.n = dns_server_parse("127.0.0.1", &conf->servers.list[0]);
	return &conf->servers;
}

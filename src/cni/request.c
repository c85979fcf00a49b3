/* src/cni/request.c */
#include "cni/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id.h"
#include "network/lease.h"

static const struct {
	const char *name;
	enum cni_command command;
	bool attachment; /* it is about one: wants CNI_CONTAINERID and CNI_IFNAME */
	bool netns;
} commands[] = {
	{ "ADD", CNI_ADD, true, true },         { "DEL", CNI_DEL, true, false },
	{ "CHECK", CNI_CHECK, true, true },     { "GC", CNI_GC, false, false },
	{ "STATUS", CNI_STATUS, false, false }, { "VERSION", CNI_VERSIONS, false, false },
};

bool cni_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= CNI_CONTAINER_MAX && isalnum((unsigned char)name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

/* As the kernel has it, which CNI follows. */
bool cni_ifname_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IF_NAMESIZE || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || !isgraph((unsigned char)*name))
			return false;
	return true;
}

static int read_attachment(const char *(*get)(const char *), struct cni_request *ret,
			   struct cni_failure *f)
{
	const char *container = get("CNI_CONTAINERID"), *ifname = get("CNI_IFNAME");

	if (!container || !cni_name_is_valid(container))
		return cni_fail(f, CNI_ENVIRONMENT, -EINVAL,
				"CNI_CONTAINERID '%.100s' is not a container's ID",
				container ? container : "");
	if (!ifname || !cni_ifname_is_valid(ifname))
		return cni_fail(f, CNI_ENVIRONMENT, -EINVAL,
				"CNI_IFNAME '%.100s' is not a name for an interface",
				ifname ? ifname : "");
	(void)snprintf(ret->container, sizeof(ret->container), "%s", container);
	(void)snprintf(ret->ifname, sizeof(ret->ifname), "%s", ifname);
	return 0;
}

static int take_ip(const char *value, struct cni_request *ret, struct cni_failure *f)
{
	struct ip_net net;

	if (ip_net_parse(value, &net) < 0)
		return cni_fail(f, CNI_ENVIRONMENT, -EINVAL,
				"CNI_ARGS: IP=%.100s is not an address", value);
	if (net.ip.family == AF_INET)
		ret->ip = net.ip;
	else
		ret->ip6 = net.ip;
	return 0;
}

static int take_argument(const char *key, const char *value, struct cni_request *ret,
			 struct cni_failure *f)
{
	if (strcmp(key, "IP") == 0)
		return take_ip(value, ret, f);
	if (strcmp(key, "MAC") == 0) {
		if (mac_parse(value, ret->mac) < 0)
			return cni_fail(f, CNI_ENVIRONMENT, -EINVAL,
					"CNI_ARGS: MAC=%.100s is not a station's address", value);
		ret->has_mac = true;
	}
	if (strcmp(key, "K8S_POD_NAME") == 0 && name_is_valid(value))
		(void)snprintf(ret->pod, sizeof(ret->pod), "%s", value);
	return 0; /* what others say to others */
}

/* "KEY=VALUE;KEY=VALUE" */
static int read_arguments(const char *args, struct cni_request *ret, struct cni_failure *f)
{
	autofree char *copy = xstrdup(args ? args : "");
	char *rest = copy, *item;
	int r = 0;

	while (r == 0 && (item = strsep(&rest, ";"))) {
		char *value = strchr(item, '=');

		if (!*item)
			continue;
		if (!value)
			return cni_fail(f, CNI_ENVIRONMENT, -EINVAL,
					"CNI_ARGS: '%.100s' is not KEY=VALUE", item);
		*value++ = '\0';
		r = take_argument(item, value, ret, f);
	}
	return r;
}

int cni_request_read(const char *(*get)(const char *name), struct cni_request *ret,
		     struct cni_failure *f)
{
	struct cni_request req = { .command = CNI_ADD };
	const char *word = get("CNI_COMMAND"), *netns = get("CNI_NETNS");
	size_t i = 0;
	int r = 0;

	while (word && i < ARRAY_SIZE(commands) && strcmp(commands[i].name, word) != 0)
		i++;
	if (!word || i == ARRAY_SIZE(commands))
		return cni_fail(f, CNI_ENVIRONMENT, -EINVAL,
				"CNI_COMMAND '%.100s' is none of ADD, DEL, CHECK, GC, STATUS, "
				"VERSION",
				word ? word : "");
	req.command = commands[i].command;
	req.netns = netns && *netns ? netns : NULL;
	if (commands[i].netns && !req.netns)
		return cni_fail(f, CNI_ENVIRONMENT, -EINVAL, "CNI_NETNS is not set");
	if (commands[i].attachment)
		r = read_attachment(get, &req, f);
	if (r == 0 && commands[i].attachment)
		r = read_arguments(get("CNI_ARGS"), &req, f);
	if (r == 0)
		*ret = req;
	return r;
}

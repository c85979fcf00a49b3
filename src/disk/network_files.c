/* src/disk/network_files.c */
#include "disk/network_files.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "disk/filetree.h"
#include "disk/network_plan.h"
#include "disk/place.h"
#include "disk/source.h"

#define TEXT_MAX   65536U
#define UNITS      "usr/lib/systemd/system"
#define WANTS      "etc/systemd/system"
#define FILE_OWNER ((struct owner) { .mode = 0644 })
#define SECRET     ((struct owner) { .mode = 0600 }) /* as netplan and NetworkManager demand */

static bool has(const struct filetree *t, const char *path)
{
	return filetree_resolve(t, path, NULL) != NULL;
}

static bool has_one_of(const struct filetree *t, const char *const *paths)
{
	for (; *paths; paths++)
		if (has(t, *paths))
			return true;
	return false;
}

enum network_manager network_manager_find(const struct filetree *t, bool dhcp)
{
	static const char *const clients[] = { "sbin/dhclient",    "usr/sbin/dhclient",
					       "sbin/dhcpcd",      "usr/sbin/dhcpcd",
					       "usr/bin/udhcpc",   "sbin/udhcpc",
					       "usr/sbin/dhcpcd5", NULL };
	bool networkd = has(t, "lib/systemd/systemd-networkd");

	if (has(t, "usr/sbin/netplan"))
		return MANAGER_NETPLAN;
	if (has(t, "usr/sbin/NetworkManager"))
		return MANAGER_NETWORK_MANAGER;
	if (has(t, "sbin/openrc") && has(t, "etc/init.d/networking"))
		return MANAGER_ALPINE;
	if (has(t, "sbin/ifup") && (!dhcp || has_one_of(t, clients) || !networkd))
		return MANAGER_IFUPDOWN;
	return networkd ? MANAGER_NETWORKD : MANAGER_NONE;
}

/* A name in the directory that ends so, other than the one for loopback. */
static bool has_file(const struct filetree *t, const char *path, const char *end)
{
	const struct file *dir = filetree_resolve(t, path, NULL);
	size_t n = strlen(end);

	for (size_t i = 0; dir && i < dir->nnames; i++) {
		size_t len = strlen(dir->names[i].text);

		if (len > n && strcmp(dir->names[i].text + len - n, end) == 0)
			return true;
	}
	return false;
}

bool network_is_configured(const struct filetree *t)
{
	const struct file *f = filetree_resolve(t, "etc/network/interfaces", NULL);
	autofree char *text = NULL;
	size_t len;

	if (has_file(t, "etc/netplan", ".yaml") || has_file(t, "etc/systemd/network", ".network") ||
	    has_file(t, "etc/NetworkManager/system-connections", "") ||
	    has_file(t, "etc/network/interfaces.d", ""))
		return true;
	return f && S_ISREG(f->mode) &&
	       content_read(&f->content, PLACED_TEXT_MAX, PLACED_TEXT_MAX, &text, &len, NULL) ==
		       0 &&
	       (strstr(text, " dhcp") || strstr(text, " static"));
}

/* texts */

static void add_ips(struct buf *b, const char *before, const struct ip *list, size_t n,
		    const char *between, const char *after)
{
	char text[IP_TEXT_LEN];

	for (size_t i = 0; i < n; i++) {
		ip_format(&list[i], text);
		buf_addf(b, "%s%s", i ? between : before, text);
	}
	if (n)
		buf_add_str(b, after);
}

static void networkd_text(const struct network_plan *plan, struct buf *b)
{
	char text[IP_NET_TEXT_LEN];

	buf_addf(b, "[Match]\nName=%s\n\n[Network]\n",
		 *plan->interface ? plan->interface : "en* eth*");
	if (plan->way == NETWORK_DHCP)
		buf_add_str(b, "DHCP=yes\n");
	for (size_t i = 0; i < plan->naddresses; i++) {
		ip_net_format(&plan->addresses[i], text);
		buf_addf(b, "Address=%s\n", text);
	}
	add_ips(b, "Gateway=", plan->gateways, plan->ngateways, "\nGateway=", "\n");
	add_ips(b, "DNS=", plan->dns, plan->ndns, "\nDNS=", "\n");
}

static void netplan_text(const struct network_plan *plan, bool networkd, struct buf *b)
{
	char text[IP_NET_TEXT_LEN];

	buf_addf(b,
		 "network:\n  version: 2\n  renderer: %s\n  ethernets:\n    wired:\n"
		 "      match:\n        name: \"%s\"\n",
		 networkd ? "networkd" : "NetworkManager",
		 *plan->interface ? plan->interface : "e*");
	if (plan->way == NETWORK_DHCP)
		buf_add_str(b, "      dhcp4: true\n      dhcp6: true\n");
	for (size_t i = 0; i < plan->naddresses; i++) {
		ip_net_format(&plan->addresses[i], text);
		buf_addf(b, "%s        - \"%s\"\n", i ? "" : "      addresses:\n", text);
	}
	for (size_t i = 0; i < plan->ngateways; i++) {
		ip_format(&plan->gateways[i], text);
		buf_addf(b, "%s        - to: default\n          via: \"%s\"\n",
			 i ? "" : "      routes:\n", text);
	}
	add_ips(b, "      nameservers:\n        addresses:\n          - \"", plan->dns, plan->ndns,
		"\"\n          - \"", "\"\n");
}

/* One family's section: method, addresses, its gateway, its servers. */
static void keyfile_family(const struct network_plan *plan, int family, struct buf *b)
{
	char text[IP_NET_TEXT_LEN];
	size_t n = 0;

	for (size_t i = 0; i < plan->naddresses; i++) {
		if (plan->addresses[i].ip.family != family)
			continue;
		ip_net_format(&plan->addresses[i], text);
		buf_addf(b, "address%zu=%s\n", ++n, text);
	}
	for (size_t i = 0; n && i < plan->ngateways; i++) {
		ip_format(&plan->gateways[i], text);
		if (plan->gateways[i].family == family)
			buf_addf(b, "gateway=%s\n", text);
	}
	for (size_t i = 0, k = 0; n && i < plan->ndns; i++) {
		ip_format(&plan->dns[i], text);
		if (plan->dns[i].family == family)
			buf_addf(b, "%s%s;", k++ ? "" : "dns=", text);
	}
	buf_addf(b, "%smethod=%s\n", n ? "\n" : "",
		 n                                                 ? "manual"
		 : plan->way == NETWORK_DHCP || family == AF_INET6 ? "auto"
								   : "disabled");
}

static void keyfile_text(const struct network_plan *plan, struct buf *b)
{
	buf_add_str(b, "[connection]\nid=wired\ntype=ethernet\n");
	if (*plan->interface)
		buf_addf(b, "interface-name=%s\n", plan->interface);
	buf_add_str(b, "\n[ipv4]\n");
	keyfile_family(plan, AF_INET, b);
	buf_add_str(b, "\n[ipv6]\n");
	keyfile_family(plan, AF_INET6, b);
}

/* Each address is a stanza of its own; the first of a family has its gateway. */
static void interfaces_static(const struct network_plan *plan, const char *name, struct buf *b)
{
	char text[IP_NET_TEXT_LEN];
	bool seen[2] = { false, false };

	for (size_t i = 0; i < plan->naddresses; i++) {
		bool six = plan->addresses[i].ip.family == AF_INET6;

		ip_net_format(&plan->addresses[i], text);
		buf_addf(b, "iface %s inet%s static\n\taddress %s\n", name, six ? "6" : "", text);
		for (size_t k = 0; !seen[six] && k < plan->ngateways; k++) {
			ip_format(&plan->gateways[k], text);
			if ((plan->gateways[k].family == AF_INET6) == six)
				buf_addf(b, "\tgateway %s\n", text);
		}
		if (i == 0)
			add_ips(b, "\tdns-nameservers ", plan->dns, plan->ndns, " ", "\n");
		seen[six] = true;
	}
}

/* Debian's ifup knows patterns, the names are udev's; Alpine's knows none, the names are eth. */
static void interfaces_text(const struct network_plan *plan, bool alpine, struct buf *b)
{
	const char *name = *plan->interface ? plan->interface : alpine ? "eth0" : "wired";

	buf_addf(b, "auto lo\niface lo inet loopback\n\nauto %s%s\n",
		 *plan->interface || alpine ? "" : "/e[nt]*/1=", name);
	if (plan->way == NETWORK_DHCP)
		buf_addf(b, "iface %s inet dhcp\n", name);
	else
		interfaces_static(plan, name, b);
}

/* A machine without resolved or resolvconf has the servers in its resolv.conf. */
static int put_resolver(struct placing *p, const struct network_plan *plan, struct error *err)
{
	static const char *const writers[] = { "lib/systemd/systemd-resolved", "sbin/resolvconf",
					       "usr/sbin/resolvconf", NULL };
	struct buf b = BUF_INIT(TEXT_MAX);
	int r;

	if (plan->ndns == 0 || has_one_of(p->source->tree, writers))
		return 0;
	add_ips(&b, "nameserver ", plan->dns, plan->ndns, "\nnameserver ", "\n");
	r = place_text(p, "who knows names", "etc/resolv.conf", FILE_OWNER, buf_text(&b), err);
	buf_done(&b);
	return r;
}

/* What "systemctl enable" does: the links of the units' [Install]. */
static int enable_networkd(struct placing *p, struct error *err)
{
	static const struct {
		const char *unit, *link;
	} links[] = {
		{ "systemd-networkd.service", WANTS "/multi-user.target.wants/%s" },
		{ "systemd-networkd.service", WANTS "/dbus-org.freedesktop.network1.service" },
		{ "systemd-networkd.socket", WANTS "/sockets.target.wants/%s" },
		{ "systemd-networkd-wait-online.service", WANTS "/network-online.target.wants/%s" },
		{ "systemd-resolved.service", WANTS "/multi-user.target.wants/%s" },
		{ "systemd-resolved.service", WANTS "/dbus-org.freedesktop.resolve1.service" },
	};
	const struct filetree *t = p->source->tree;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++) {
		autofree char *unit = xasprintf(UNITS "/%s", links[i].unit);
		autofree char *alias = xasprintf("lib/systemd/system/%s", links[i].unit);
		autofree char *path = xasprintf(links[i].link, links[i].unit);
		autofree char *target = NULL;

		if (!has(t, unit) && !has(t, alias))
			continue;
		target = xasprintf("/%s", has(t, unit) ? unit : alias);
		r = place_link(p, "it is started", path, target, err);
	}
	if (r == 0 && has(t, "lib/systemd/systemd-resolved"))
		r = place_link(p, "names are its work, too", "etc/resolv.conf",
			       "../run/systemd/resolve/stub-resolv.conf", err);
	return r;
}

static int put_ifupdown(struct placing *p, const struct network_plan *plan, bool alpine,
			struct buf *b, struct error *err)
{
	int r;

	interfaces_text(plan, alpine, b);
	r = place_text(p, "how its network comes up, for ifup", "etc/network/interfaces",
		       FILE_OWNER, buf_text(b), err);
	if (r == 0 && alpine)
		r = place_link(p, "it is started", "etc/runlevels/boot/networking",
			       "/etc/init.d/networking", err);
	return r == 0 ? put_resolver(p, plan, err) : r;
}

static int put_networkd(struct placing *p, const struct network_plan *plan, struct buf *b,
			struct error *err)
{
	int r;

	networkd_text(plan, b);
	r = place_text(p, "how its network comes up, for systemd-networkd",
		       "etc/systemd/network/10-wired.network", FILE_OWNER, buf_text(b), err);
	if (r == 0)
		r = enable_networkd(p, err);
	return r == 0 ? put_resolver(p, plan, err) : r;
}

int network_files_put(struct placing *p, const struct network_plan *plan, struct error *err)
{
	cleanup(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	const struct filetree *t = p->source->tree;

	switch (network_manager_find(t, plan->way == NETWORK_DHCP)) {
	case MANAGER_NONE:
		break;
	case MANAGER_NETPLAN:
		netplan_text(plan, has(t, "lib/systemd/systemd-networkd"), &b);
		return place_text(p, "how its network comes up, for netplan",
				  "etc/netplan/50-wired.yaml", SECRET, buf_text(&b), err);
	case MANAGER_NETWORK_MANAGER:
		keyfile_text(plan, &b);
		return place_text(p, "how its network comes up, for NetworkManager",
				  "etc/NetworkManager/system-connections/wired.nmconnection",
				  SECRET, buf_text(&b), err);
	case MANAGER_IFUPDOWN:
	case MANAGER_ALPINE:
		return put_ifupdown(p, plan, has(t, "sbin/openrc"), &b, err);
	case MANAGER_NETWORKD:
		return put_networkd(p, plan, &b, err);
	}
	return error_set(err, -ENOENT,
			 "it has nothing that brings a network up: install netplan, "
			 "NetworkManager, ifupdown or systemd-networkd, or say --network none");
}

/* src/kernel/fdb.c */
#include "kernel/fdb.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/netlink.h"

#define TICK_MS 10 /* ages are in clock ticks of user space */

struct listing {
	void (*each)(void *data, const struct fdb_item *item);
	void *data;
};

static void take_attribute(const struct nlattr *attr, struct fdb_item *item)
{
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case NDA_LLADDR:
		if (len == sizeof(item->mac))
			memcpy(item->mac, mnl_attr_get_payload(attr), sizeof(item->mac));
		break;
	case NDA_MASTER:
		item->master = (int)mnl_attr_get_u32(attr);
		break;
	case NDA_VLAN:
		item->vlan = mnl_attr_get_u16(attr);
		break;
	case NDA_DST:
		item->remote.family = len == 16 ? AF_INET6 : AF_INET;
		memcpy(item->remote.bytes, mnl_attr_get_payload(attr), MIN(len, 16));
		break;
	case NDA_CACHEINFO:
		if (len >= sizeof(struct nda_cacheinfo))
			item->age_ms = ((const struct nda_cacheinfo *)mnl_attr_get_payload(attr))
					       ->ndm_updated *
				       TICK_MS;
		break;
	default:
		break;
	}
}

static int take(const struct nlmsghdr *hdr, void *data)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(hdr);
	const struct listing *listing = data;
	struct fdb_item item = { .index = ndm->ndm_ifindex,
				 .own = ndm->ndm_state & NUD_PERMANENT,
				 .learned = !(ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP)) };
	const struct nlattr *attr;

	if (ndm->ndm_family != AF_BRIDGE)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, hdr, sizeof(*ndm))
		take_attribute(attr, &item);
	if (item.master || ip_is_set(&item.remote))
		listing->each(listing->data, &item);
	return MNL_CB_OK;
}

int fdb_list(struct nl *nl, void (*each)(void *data, const struct fdb_item *item), void *data)
{
	const struct ndmsg ndm = { .ndm_family = AF_BRIDGE };
	struct listing listing = { .each = each, .data = data };
	struct nl_req q;

	nl_req_init(&q, RTM_GETNEIGH, NLM_F_DUMP, &ndm, sizeof(ndm));
	return nl_query(nl, &q, take, &listing);
}

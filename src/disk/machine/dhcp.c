/* src/disk/machine/dhcp.c - RFC 2131 for the message, RFC 2132 for its options. */
#include "disk/machine/dhcp.h"

#include <string.h>

enum at {
	AT_OP = 0,
	AT_HTYPE = 1,
	AT_HLEN = 2,
	AT_XID = 4,
	AT_FLAGS = 10,
	AT_CIADDR = 12,
	AT_YIADDR = 16,
	AT_CHADDR = 28,
	AT_COOKIE = 236,
	AT_OPTIONS = 240,
};

enum option {
	OPTION_PAD = 0,
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_DOMAIN = 15,
	OPTION_REQUESTED = 50,
	OPTION_SECONDS = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_WANTED = 55,
	OPTION_RENEW = 58,
	OPTION_REBIND = 59,
	OPTION_END = 255,
};

static const unsigned char cookie[4] = { 99, 130, 83, 99 };

static unsigned char *put(unsigned char *at, enum option option, const void *value, size_t len)
{
	*at++ = (unsigned char)option;
	*at++ = (unsigned char)len;
	memcpy(at, value, len);
	return at + len;
}

size_t dhcp_build(unsigned char bytes[DHCP_MESSAGE_MAX], enum dhcp_type type, uint32_t xid,
		  const unsigned char mac[6], const struct dhcp_lease *lease)
{
	static const unsigned char wanted[] = { OPTION_MASK,   OPTION_ROUTER,  OPTION_DNS,
						OPTION_DOMAIN, OPTION_SECONDS, OPTION_RENEW,
						OPTION_REBIND };
	const unsigned char type_byte = (unsigned char)(type == DHCP_RENEW ? DHCP_REQUEST : type);
	unsigned char *at = bytes + AT_OPTIONS;

	memset(bytes, 0, AT_OPTIONS);
	bytes[AT_OP] = 1;
	bytes[AT_HTYPE] = 1;
	bytes[AT_HLEN] = 6;
	if (type == DHCP_RENEW)
		memcpy(bytes + AT_CIADDR, &lease->address, 4);
	else
		bytes[AT_FLAGS] = 0x80; /* answer to all: we have no address yet */
	memcpy(bytes + AT_XID, &xid, sizeof(xid));
	memcpy(bytes + AT_CHADDR, mac, 6);
	memcpy(bytes + AT_COOKIE, cookie, sizeof(cookie));
	at = put(at, OPTION_TYPE, &type_byte, 1);
	if (type == DHCP_REQUEST) {
		at = put(at, OPTION_REQUESTED, &lease->address, 4);
		at = put(at, OPTION_SERVER, &lease->server, 4);
	}
	at = put(at, OPTION_WANTED, wanted, sizeof(wanted));
	*at++ = OPTION_END;
	/* Some relays want the length that BOOTP had. */
	while (at < bytes + 300)
		*at++ = OPTION_PAD;
	return (size_t)(at - bytes);
}

/* Only what a name may hold goes into resolv.conf. */
static void take_domain(struct dhcp_lease *lease, const unsigned char *value, size_t len)
{
	size_t n = 0;

	while (n < len && n + 1 < sizeof(lease->domain) &&
	       (value[n] == '.' || value[n] == '-' || (value[n] >= '0' && value[n] <= '9') ||
		((value[n] | 0x20) >= 'a' && (value[n] | 0x20) <= 'z')))
		n++;
	memcpy(lease->domain, value, n);
	lease->domain[n] = '\0';
}

static uint32_t seconds_of(const unsigned char *value)
{
	return (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 |
	       value[3];
}

static void take(struct dhcp_lease *lease, int *type, int option, const unsigned char *value,
		 size_t len)
{
	uint32_t word = 0;

	if (len >= 4)
		memcpy(&word, value, 4);
	if (option == OPTION_TYPE && len == 1)
		*type = value[0];
	else if (option == OPTION_DOMAIN)
		take_domain(lease, value, len);
	else if (option == OPTION_DNS)
		for (; len >= 4 && lease->ndns < DHCP_DNS_MAX; value += 4, len -= 4)
			memcpy(&lease->dns[lease->ndns++], value, 4);
	else if (option == OPTION_SECONDS && len == 4)
		lease->seconds = seconds_of(value);
	else if (option == OPTION_RENEW && len == 4)
		lease->renew = seconds_of(value);
	else if (option == OPTION_REBIND && len == 4)
		lease->rebind = seconds_of(value);
	else if (option == OPTION_MASK)
		lease->mask = word;
	else if (option == OPTION_ROUTER)
		lease->router = word;
	else if (option == OPTION_SERVER)
		lease->server = word;
}

int dhcp_parse(const unsigned char *bytes, size_t len, uint32_t xid, const unsigned char mac[6],
	       struct dhcp_lease *ret)
{
	struct dhcp_lease lease = { .address = 0 };
	int type = 0;

	if (len < AT_OPTIONS || bytes[AT_OP] != 2 || memcmp(bytes + AT_XID, &xid, 4) != 0 ||
	    memcmp(bytes + AT_CHADDR, mac, 6) != 0 || memcmp(bytes + AT_COOKIE, cookie, 4) != 0)
		return 0;
	memcpy(&lease.address, bytes + AT_YIADDR, 4);
	for (size_t at = AT_OPTIONS; at < len && bytes[at] != OPTION_END;) {
		size_t n;

		if (bytes[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (at + 2 > len || at + 2 + bytes[at + 1] > len)
			return 0;
		n = bytes[at + 1];
		take(&lease, &type, bytes[at], bytes + at + 2, n);
		at += 2 + n;
	}
	/* RFC 2131, 4.4.5: what a server does not say, or says in another order. */
	if (lease.seconds && (lease.rebind == 0 || lease.rebind > lease.seconds))
		lease.rebind = lease.seconds / 8 * 7;
	if (lease.seconds && (lease.renew == 0 || lease.renew > lease.rebind))
		lease.renew = lease.rebind / 7 * 4;
	*ret = lease;
	return type;
}

/* src/network/dns_message.c */
#include "network/dns_message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OPT_LEN       11                     /* root name, type, class, TTL, no data */
#define QUESTION_NAME (0xc000U | DNS_HEADER) /* a pointer to the only name there is */

#define FLAG_QR       0x8000U
#define FLAG_AA       0x0400U
#define FLAG_TC       0x0200U
#define FLAG_RD       0x0100U
#define FLAG_RA       0x0080U
#define FLAG_CD       0x0010U
#define OPCODE(flags) ((flags) >> 11 & 15U)

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

/* questions */

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* The one OPT record that may stand in the additional section. */
static int find_edns(ns_msg *msg, struct dns_query *q)
{
	for (int i = 0; i < ns_msg_count(*msg, ns_s_ar); i++) {
		ns_rr rr;

		if (ns_parserr(msg, ns_s_ar, i, &rr) < 0)
			return ns_r_formerr;
		if (ns_rr_type(rr) != ns_t_opt)
			continue;
		if (q->edns)
			return ns_r_formerr;
		q->edns = true;
		q->udp_max = MAX(ns_rr_class(rr), DNS_UDP_PLAIN);
		if ((ns_rr_ttl(rr) >> 16 & 0xff) != 0)
			return DNS_BADVERS;
	}
	return 0;
}

/* Where the question's name ends; in a question nothing is there yet to point to. */
static size_t plain_name_len(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && bytes[at] && bytes[at] < 64)
		at += bytes[at] + 1U;
	return at < len && bytes[at] == 0 && at < NS_MAXCDNAME ? at + 1 : 0;
}

static int take_question(const uint8_t *bytes, size_t len, struct dns_query *q)
{
	size_t name_len = plain_name_len(bytes, len);

	if (name_len == 0 || name_len + 4 > len ||
	    ns_name_ntop(bytes, q->name, sizeof(q->name)) < 0)
		return ns_r_formerr;
	if (strcmp(q->name, ".") == 0)
		q->name[0] = '\0';
	lower(q->name);
	q->type = get16(bytes + name_len);
	q->class = get16(bytes + name_len + 2);
	q->question_len = name_len + 4;
	memcpy(q->question, bytes, q->question_len);
	return 0;
}

int dns_query_parse(const void *data, size_t len, struct dns_query *ret)
{
	const uint8_t *bytes = data;
	ns_msg msg;
	int r;

	if (len < DNS_HEADER || len > DNS_MESSAGE_MAX)
		return -EBADMSG;
	*ret = (struct dns_query) { .flags = get16(bytes + 2), .udp_max = DNS_UDP_PLAIN };
	memcpy(&ret->id, bytes, sizeof(ret->id));
	if (ret->flags & FLAG_QR) /* never answer an answer: two servers would do it for ever */
		return -EBADMSG;
	if (OPCODE(ret->flags) != ns_o_query)
		return ns_r_notimpl;
	if (get16(bytes + 4) != 1)
		return ns_r_formerr;
	r = take_question(bytes + DNS_HEADER, len - DNS_HEADER, ret);
	if (r != 0)
		return r;
	if (ns_initparse(bytes, (int)len, &msg) < 0 || ns_msg_count(msg, ns_s_an) != 0)
		return ns_r_formerr;
	return find_edns(&msg, ret);
}

/* answers */

void dns_answer_init(struct dns_answer *a, const struct dns_query *query, uint8_t *bytes,
		     size_t max)
{
	*a = (struct dns_answer) { .bytes = bytes, .query = query };
	a->max = max - (query->edns ? OPT_LEN : 0);
	memset(bytes, 0, DNS_HEADER);
	memcpy(bytes, &query->id, sizeof(query->id));
	put16(bytes + 4, query->question_len ? 1 : 0);
	memcpy(bytes + DNS_HEADER, query->question, query->question_len);
	a->len = DNS_HEADER + query->question_len;
}

static void add_record(struct dns_answer *a, uint16_t type, const void *data, size_t len)
{
	uint8_t *at = a->bytes + a->len;

	if (a->truncated || a->max - a->len < 12 + len || a->count == UINT16_MAX) {
		a->truncated = true;
		return;
	}
	put16(at, QUESTION_NAME);
	put16(at + 2, type);
	put16(at + 4, ns_c_in);
	put16(at + 6, 0);
	put16(at + 8, DNS_TTL_S);
	put16(at + 10, (unsigned)len);
	memcpy(at + 12, data, len);
	a->len += 12 + len;
	a->count++;
}

void dns_answer_address(struct dns_answer *a, uint16_t type, const void *address, size_t len)
{
	add_record(a, type, address, len);
}

void dns_answer_name(struct dns_answer *a, uint16_t type, const char *name)
{
	uint8_t wire[NS_MAXCDNAME];
	size_t len;

	if (ns_name_pton(name, wire, sizeof(wire)) < 0)
		return;
	len = plain_name_len(wire, sizeof(wire));
	if (len > 0)
		add_record(a, type, wire, len);
}

size_t dns_answer_finish(struct dns_answer *a, int rcode)
{
	const struct dns_query *q = a->query;
	unsigned flags = FLAG_QR | FLAG_RA | (q->flags & (FLAG_RD | FLAG_CD | 0x7800U));

	if (rcode == DNS_NODATA || rcode == ns_r_nxdomain)
		flags |= FLAG_AA;
	if (a->truncated)
		flags |= FLAG_TC;
	put16(a->bytes + 2, flags | ((unsigned)rcode & 15U));
	put16(a->bytes + 6, a->count);
	if (q->edns) {
		uint8_t *at = a->bytes + a->len;

		memset(at, 0, OPT_LEN);
		put16(at + 1, ns_t_opt);
		put16(at + 3, DNS_UDP_MAX);
		at[5] = (uint8_t)(rcode >> 4);
		a->len += OPT_LEN;
		put16(a->bytes + 10, 1);
	}
	return a->len;
}

/* responses of others */

bool dns_response_fits(const void *data, size_t len, uint16_t id, const struct dns_query *query)
{
	const uint8_t *bytes = data;

	return len >= DNS_HEADER + query->question_len && memcmp(bytes, &id, sizeof(id)) == 0 &&
	       (bytes[2] & 0x80U) && get16(bytes + 4) == 1 &&
	       memcmp(bytes + DNS_HEADER, query->question, query->question_len) == 0;
}

int dns_response_rcode(const void *bytes)
{
	return ((const uint8_t *)bytes)[3] & 15;
}

/* addresses backwards */

static bool reverse_4(const char *name, size_t len, char *ret, size_t room)
{
	char text[INET_ADDRSTRLEN + 1], *part[4] = { NULL }, *rest = text;
	struct in_addr ip;
	size_t n = 0;

	if (len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	while (rest && n < ARRAY_SIZE(part))
		part[n++] = strsep(&rest, ".");
	if (rest || n != ARRAY_SIZE(part))
		return false;
	return snprintf(ret, room, "%s.%s.%s.%s", part[3], part[2], part[1], part[0]) < (int)room &&
	       inet_pton(AF_INET, ret, &ip) == 1;
}

static bool reverse_6(const char *name, size_t len, char *ret, size_t room)
{
	uint8_t bytes[16] = { 0 };

	if (len != 63)
		return false;
	for (size_t i = 0; i < 32; i++) {
		const char digit[2] = { name[2 * (31 - i)], '\0' };
		static const char digits[] = "0123456789abcdef";
		const char *found = digit[0] ? strchr(digits, digit[0]) : NULL;

		if (!found || (i < 31 && name[2 * i + 1] != '.'))
			return false;
		bytes[i / 2] |= (uint8_t)((found - digits) << (i % 2 ? 0 : 4));
	}
	return inet_ntop(AF_INET6, bytes, ret, (socklen_t)room) != NULL;
}

bool dns_reverse_parse(const char *name, char *ret, size_t room)
{
	static const struct {
		const char *suffix;
		bool (*parse)(const char *name, size_t len, char *ret, size_t room);
	} zones[] = { { ".in-addr.arpa", reverse_4 }, { ".ip6.arpa", reverse_6 } };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		size_t behind = strlen(zones[i].suffix);

		if (len > behind && strcmp(name + len - behind, zones[i].suffix) == 0)
			return zones[i].parse(name, len - behind, ret, room);
	}
	return false;
}

/* src/lab/frame.h - an Ethernet frame, taken apart and told in words, and put together.
 *
 * frame_decode() takes any bytes and never fails: what is too short or unknown to it stays unset,
 * and frame_describe() says how much it understood.  Nothing is copied; a struct frame is good as
 * long as its bytes are.  A VXLAN packet has the frame that it carries inside it.
 */
#ifndef LAB_FRAME_H
#define LAB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"

#define MAC_LEN        6
#define MAC_TEXT_LEN   18
#define FRAME_HEAD_LEN 14
#define FRAME_TAG_LEN  4
#define FRAME_TAGS_MAX 2
#define FRAME_MAX      65550 /* an IP packet's 65535 and the header, tagged or not */
#define VXLAN_PORT     4789
#define ETH_TYPE_FIRST 0x0600 /* below it is a length */

enum frame_what {              /* how far it was understood */
		  FRAME_SHORT, /* no Ethernet header */
		  FRAME_OTHER, /* an unknown type: payload is all behind the header */
		  FRAME_ARP,
		  FRAME_IP,   /* an IP packet with something else in it */
		  FRAME_ICMP, /* of either family */
		  FRAME_UDP,
		  FRAME_TCP,
		  FRAME_VXLAN, /* UDP with inner */
};

enum icmp_kind {
	ICMP_KIND_OTHER,
	ICMP_KIND_ECHO,
	ICMP_KIND_REPLY,
	ICMP_KIND_UNREACHABLE,
	ICMP_KIND_TOO_BIG,
	ICMP_KIND_EXPIRED,
	ICMP_KIND_REDIRECT,
	ICMP_KIND_ND_ASK,
	ICMP_KIND_ND_ANSWER,
};

struct frame {
	const uint8_t *bytes;
	size_t len;
	enum frame_what what;
	unsigned char dst[MAC_LEN], src[MAC_LEN];
	unsigned n_tags;
	uint16_t tags[FRAME_TAGS_MAX]; /* VLAN ids, outer first */
	uint16_t type;                 /* behind the tags */
	const uint8_t *payload;        /* behind all headers that were understood */
	size_t payload_len;
	/* ARP: src and dst are the addresses in it */
	uint16_t arp_op;                /* 1 asks, 2 answers */
	unsigned char arp_mac[MAC_LEN]; /* the sender's */
	/* IP */
	struct ip ip_src, ip_dst;
	uint8_t ttl, protocol;
	bool dont_fragment, fragment; /* fragment: not the first one */
	size_t ip_len;
	/* ICMP */
	enum icmp_kind icmp;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_seq;
	struct ip about; /* ND: asked for; redirect: go there; error: it was for */
	uint32_t icmp_mtu;
	/* TCP, UDP */
	uint16_t port_src, port_dst;
	uint8_t tcp_flags;
	/* VXLAN */
	uint32_t vni;
	const uint8_t *inner;
	size_t inner_len;
};

void frame_decode(const uint8_t *bytes, size_t len, struct frame *ret);
/* The innermost frame: what VXLAN carries, or the frame itself. */
void frame_decode_inner(const uint8_t *bytes, size_t len, struct frame *ret);

/* "10.0.0.1 > 10.0.0.2: echo request 1, TTL 64", without the MAC addresses. */
void frame_describe(const struct frame *f, struct buf *to);
/* "frame(IP(ICMP))", "frame(IP(UDP(VXLAN(frame(IP(ICMP))))))" */
void frame_nesting(const struct frame *f, struct buf *to);

bool mac_is_broadcast(const unsigned char mac[MAC_LEN]);
bool mac_is_multicast(const unsigned char mac[MAC_LEN]); /* broadcast, too */
void mac_format(const unsigned char mac[MAC_LEN], char ret[MAC_TEXT_LEN]);
int mac_parse(const char *text, unsigned char ret[MAC_LEN]) must_check; /* -EINVAL */

/* Puts a frame together; vlan 0: no tag.  Short ones are filled up by who sends them. */
struct frame_head {
	unsigned char dst[MAC_LEN], src[MAC_LEN];
	uint16_t vlan, type;
};
void frame_put_head(struct buf *to, const struct frame_head *head);
/* "who has ask? tell from", or the answer to it. */
void frame_put_arp(struct buf *to, uint16_t op, const unsigned char mac[MAC_LEN],
		   const struct ip *from, const unsigned char target_mac[MAC_LEN],
		   const struct ip *target);

/* The checksum of IP, ICMP and their kin; sum is that of what stands before, 0 at first. */
uint16_t inet_sum(const uint8_t *bytes, size_t len, uint32_t sum);

#endif

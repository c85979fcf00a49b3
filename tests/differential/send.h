/* tests/differential/send.h - packets of every kind, from a machine next door and from this one. */
#ifndef DIFFERENTIAL_SEND_H
#define DIFFERENTIAL_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "why/packet.h"

/* eth0 has 10.1.0.1/24, eth1 10.2.0.1/24; their other ends are p0 and p1 in the namespace next
 * door.  In IPv6 10.1.0.2 is fd01::2, and so on.
 */
enum origin { FROM_P0, FROM_P1, FROM_HERE };

struct sample {
	enum origin origin;
	bool v6;
	uint32_t saddr, daddr; /* as numbers, of IPv4 in any case */
	uint8_t protocol, flags;
	uint16_t sport, dport; /* sport is the sample's own; of ICMP it is the identifier */
};

struct sender {
	int raw, raw6; /* here */
	int ports[2];  /* p0, p1 */
	uint8_t macs[2][6];
	int peers[2]; /* their indexes */
};

u128 sample_address(bool v6, uint32_t address);
int sender_open(int netns_fd, struct sender *ret, struct error *err) must_check;
int sender_send(const struct sender *s, const struct sample *sample, struct error *err) must_check;
/* The same as a description. */
void sample_describe(const struct sample *sample, struct packet *ret);

#endif

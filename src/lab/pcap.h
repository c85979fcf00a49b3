/* src/lab/pcap.h - captured frames as a file that tcpdump and Wireshark read: pcap, nanoseconds. */
#ifndef LAB_PCAP_H
#define LAB_PCAP_H

#include <stdint.h>
#include <stdio.h>

#define PCAP_HEAD_LEN 24U

void pcap_start(FILE *to);
void pcap_frame(FILE *to, int64_t ns, const void *bytes, uint32_t len, uint32_t wire_len);

#endif

/* src/disk/crc32c.h - CRC-32C, by the processor where it has it. */
#ifndef DISK_CRC32C_H
#define DISK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from crc, which begins as ~0 or as a format says; nothing is inverted. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

#endif

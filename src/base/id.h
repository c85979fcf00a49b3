/* src/base/id.h - container IDs, names, and random bits.
 *
 * An ID is 64 lower-case hex digits of randomness; people see the first 12.  A name, and an ID
 * given to the OCI runtime, follows one grammar, [A-Za-z0-9_][A-Za-z0-9_.+-]*, at most 255 bytes:
 * it can be a file name, a cgroup name and a DNS label's source without any escaping, and never "."
 * or "..".
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

#define ID_LEN       64
#define ID_SHORT_LEN 12
#define NAME_LEN_MAX 255

int random_bytes(void *ret, size_t len) must_check;
int id_new(char ret[ID_LEN + 1]) must_check;
bool id_is_hex(const char *s); /* 1 to 64 lower-case hex digits: an ID or the start of one */
bool name_is_valid(const char *s);
/* "adjective_noun" from fixed lists, for containers without a --name; ret holds 64 bytes. */
int name_new(char ret[64]) must_check;
uint64_t hash_bytes(const void *bytes, size_t len); /* FNV-1a, 64 bit; not for adversaries */

#endif

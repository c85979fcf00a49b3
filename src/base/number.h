/* src/base/number.h - text to numbers, strictly: no sign where none is meant, no blanks, nothing
 * behind the last digit, no silent overflow (CVE-2026-30892 was an -u that did otherwise).
 * All return 0, -EINVAL (not such a number) or -ERANGE (too large).
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"

int number_parse(const char *s, uint64_t max, uint64_t *ret) must_check;
int number_parse_signed(const char *s, int64_t min, int64_t max, int64_t *ret) must_check;
int number_parse_octal(const char *s, unsigned max, unsigned *ret) must_check;
/* 512, 64k, 512m, 2g, 1t, also with b or iB behind; powers of 1024, as Docker; at most INT64_MAX.
 */
int number_parse_size(const char *s, uint64_t *ret) must_check;
/* A decimal fraction scaled by 10^digits: ("1.5", 9) is 1500000000. */
int number_parse_fixed(const char *s, unsigned digits, uint64_t *ret) must_check;
/* A size for people, in 1024 steps: "4.2MiB".  */
#define NUMBER_SIZE_LEN 32
void number_format_size(uint64_t bytes, char ret[NUMBER_SIZE_LEN]);

#endif

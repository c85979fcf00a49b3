/* src/base/banned.h - calls that do not compile here, and what stands in for them.
 *
 * Strings that grow use struct buf, numbers number_parse(), processes fork and exec by descriptor.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atoll system    \
	popen gets

#endif

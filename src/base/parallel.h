/* src/base/parallel.h - the same for many things at once, where the kernel lets each wait. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stddef.h>

/* fn(data, i) for each i below n, in up to 64 threads; returns when all are done.  Closing a packet
 * socket or a table of nftables waits for an RCU grace period, 10 to 30 ms: all together wait no
 * longer than one.
 */
void in_parallel(size_t n, void (*fn)(void *data, size_t i), void *data);

#endif

/* src/base/macros.h - the few words that every file may use without saying where they come from.
 *
 * Ownership: what a scope owns is declared autofree, autoclose or cleanup(x_done), initialised on
 * the spot, and handed over with steal_ptr() or steal_fd().  Destructors accept NULL, -1 and half
 * built objects and keep errno.
 */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/param.h> /* MIN, MAX */
#include <unistd.h>

#include "base/banned.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define cleanup(fn)       __attribute__((cleanup(fn)))
#define autofree          cleanup(autofree_done)
#define autoclose         cleanup(autoclose_done)
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define must_check        __attribute__((warn_unused_result))

/* Defines NAME_cleanup(), for a pointer variable declared cleanup(NAME_cleanup). */
#define DEFINE_CLEANUP(type, name, fn)                                                             \
	static inline void name##_cleanup(type *p) /* NOLINT(bugprone-macro-parentheses) a type */ \
	{                                                                                          \
		int saved = errno;                                                                 \
		fn(*p);                                                                            \
		errno = saved;                                                                     \
	}                                                                                          \
	struct allow_semicolon

static inline void autofree_done(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void autoclose_done(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define steal_ptr(p)                                                                               \
	({                                                                                         \
		__typeof__(*(p)) taken_ = *(p);                                                    \
		*(p) = NULL;                                                                       \
		taken_;                                                                            \
	})

/* A result that is ignored is ignored aloud; gcc does not take (void) for warn_unused_result. */
#define ignore_result(x)                                                                           \
	do {                                                                                       \
		__typeof__(x) ignored_ = (x);                                                      \
		(void)ignored_;                                                                    \
	} while (0)

#endif

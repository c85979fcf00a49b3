/* src/runtime/default_spec.h - the configuration that containers start from.
 *
 * What "strake-runtime spec" prints and what the engine bends: the file systems, capabilities,
 * masked paths and device rules that users of Docker expect.
 */
#ifndef RUNTIME_DEFAULT_SPEC_H
#define RUNTIME_DEFAULT_SPEC_H

#include <jansson.h>

struct strv;

/* A whole config.json without seccomp; root.path is "rootfs", the command is sh.  The caller owns
 * it. */
json_t *default_spec(void);

/* linux.seccomp: an allow list; what needs a capability is in it only if caps ("CAP_SYS_ADMIN",
 * ...) has that.  The caller owns it.
 */
json_t *default_seccomp(const struct strv *caps);

#endif

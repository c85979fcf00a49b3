/* src/base/process.h - naming a process so that a reused pid is never mistaken for it.
 *
 * A process is its pid and its start time (field 22 of /proc/PID/stat, in clock ticks since boot);
 * with the boot ID that pair is unique for ever.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define BOOT_ID_LEN 36

/* -ESRCH if there is no such process; a zombie counts as gone. */
int process_start_time(pid_t pid, uint64_t *ret) must_check;
bool process_is_alive(pid_t pid, uint64_t start_time);
/* The start time that the kernel counts from boot, as a time of day. */
int64_t process_started_ns(uint64_t start_time);
/* Whether a signal or a tracer has stopped it. */
bool process_is_stopped(pid_t pid);
/* The process of ours that was started as name with that argument among its first, such as
 * "--id=X"; 0: none.  Looks at all there are: for messages.
 */
pid_t process_find(const char *name, const char *argument);
/* A process of ours that holds the lock of flock(2) at fd's file through whatever descriptor it has
 * of it; a stopped one if there is one.  0: none.  Looks at all there are, as above.
 */
pid_t process_find_locker(int fd);
/* A pidfd for exactly that process, or -ESRCH. */
int process_open(pid_t pid, uint64_t start_time, int *ret_pidfd) must_check;
/* As many descriptors as an administrator allows; the usual limit is 1024. */
void process_allow_descriptors(void);
int boot_id(char ret[BOOT_ID_LEN + 1], struct error *err) must_check;
/* "HUP", "SIGHUP", "hup" or "1"; -EINVAL. */
int signal_parse(const char *text);
/* "TERM", or NULL for an unknown or real-time number. */
const char *signal_name(int sig);

#endif

/* src/disk/machine/power.h - the power button, and the way in which an emulator hears a status. */
#ifndef DISK_MACHINE_POWER_H
#define DISK_MACHINE_POWER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define POWER_FDS_MAX 8

/* Devices that may have a power key, to be waited for; their number. */
size_t power_open(struct pollfd fds[POWER_FDS_MAX]);
/* Reads what has come in: whether the key was pressed. */
bool power_pressed(int fd);

/* QEMU's debug port (isa-debugcon), if the machine has one. */
void power_tell_status(int status);

#endif

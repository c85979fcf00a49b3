/* src/disk/machine/say.h - a line on the console from the machine's init. */
#ifndef DISK_MACHINE_SAY_H
#define DISK_MACHINE_SAY_H

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

/* src/disk/machine/orders.h - what the init of a machine without an operating system is told.
 *
 * A file of records that end in a NUL, each a letter and a value, in this order of work.  It is
 * written by appliance.c and read by init.c, which has no library of ours: hence no more than this.
 */
#ifndef DISK_MACHINE_ORDERS_H
#define DISK_MACHINE_ORDERS_H

#define ORDERS_PATH "/.strake/orders"
#define MODULES_DIR "/.strake/modules"
#define ORDERS_MAX  (1 << 20)

/* Of a root that can grow: its first process, and a link to the init that it becomes. */
#define FIRST_PATH "/.strake/first"
#define FIRST_NEXT "/.strake/next"

enum order {
	ORDER_MODULE = 'm',   /* path of a module to load */
	ORDER_HOSTNAME = 'h', /* name */
	ORDER_NETWORK = 'n',  /* "dhcp": the first link gets an address */
	ORDER_ENV = 'e',      /* NAME=VALUE */
	ORDER_DIR = 'd',      /* working directory */
	ORDER_GROUP = 'G',    /* number of a further group */
	ORDER_GID = 'g',      /* number */
	ORDER_UID = 'u',      /* number */
	ORDER_ARG = 'a',      /* a word of the command */
};

#endif

/* src/disk/machine/orders.h - what the init of a machine without an operating system is told.
 *
 * A file of records that end in a NUL, each a letter and a value, in this order of work.  It is
 * written by appliance.c and read by init.c, which has no library of ours: hence no more than this.
 */
#ifndef DISK_MACHINE_ORDERS_H
#define DISK_MACHINE_ORDERS_H

#define OURS_DIR     "/.strake"
#define ORDERS_PATH  "/.strake/orders"
#define MODULES_DIR  "/.strake/modules"
#define ORDERS_MAX   (1 << 20)
#define PATH_LEN_MAX 4096

/* Of a root that can grow: its first process, and a link to the init that it becomes. */
#define FIRST_PATH "/.strake/first"
#define FIRST_NEXT "/.strake/next"
/* The config of the image that the disk was made of: no program of the machine looks at it. */
#define ORIGIN_PATH "/.strake/config"

enum order {
	ORDER_MODULE = 'm',       /* path of a module to load */
	ORDER_DISK_MODULE = 'k',  /* the same, if no disk is found without it, else later */
	ORDER_IF = 'i',           /* "pci:v00008086d*": modules behind it only for such hardware */
	ORDER_ALWAYS = 'I',       /* ends that; the value is empty */
	ORDER_XATTR = 'x',        /* "NAME HEX PATH": an attribute that an initramfs cannot hold */
	ORDER_ROOT = 'r',         /* UUID of the ext4 that becomes the root */
	ORDER_VOLUMES = 'V',      /* UUID of the ext4 with the volumes */
	ORDER_VOLUME = 'v',       /* "NAME PATH": a directory of it, and where it belongs */
	ORDER_HOSTNAME = 'h',     /* name */
	ORDER_NETWORK = 'n',      /* "dhcp": the link gets an address */
	ORDER_INTERFACE = 'l',    /* name of the link, instead of the first */
	ORDER_ADDRESS = 'A',      /* "192.0.2.5/24" */
	ORDER_GATEWAY = 'R',      /* address */
	ORDER_DNS = 'D',          /* address of a server */
	ORDER_ENV = 'e',          /* NAME=VALUE */
	ORDER_DIR = 'd',          /* working directory */
	ORDER_GROUP = 'G',        /* number of a further group */
	ORDER_GID = 'g',          /* number */
	ORDER_UID = 'u',          /* number */
	ORDER_STOP = 's',         /* number of the signal that asks the program to end */
	ORDER_ENTRY = 'E',        /* a word of the command that always runs */
	ORDER_ARG = 'a',          /* a further word, unless the kernel's command line has others */
	ORDER_SHARE_MODULE = 'S', /* to load if the machine has a shared folder */
	ORDER_LATE_MODULE = 'M',  /* to load when the program has been started */
};

#endif

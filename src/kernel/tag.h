/* src/kernel/tag.h - 802.1Q tags taken off and put on by BPF programs, where the kernel has neither
 * VLAN links nor bridges that filter VLANs; tcx of Linux 6.6.
 *
 * A leg is a cable whose two ends are in one namespace: on one end frames have no tag (it is
 * plugged into the bridge of its VLAN, or has an address), what comes out of the other end gets the
 * tag and leaves by the port that the leg belongs to.  The programs are gone with their links.
 */
#ifndef KERNEL_TAG_H
#define KERNEL_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct wire_place;

#define TAG_LEGS_MAX 500 /* of one port: 7 instructions each, of the kernel's 4096 */

struct tag_leg {
	uint16_t vlan;
	bool untagged; /* this is where frames without a tag go */
	int index;     /* of the end that frames are put into */
};

/* What comes in at a port goes into the leg of its VLAN.  What has none is dropped, or, if others
 * pass, goes on as if there were no program.
 */
int tag_split(const struct wire_place *at, int port, const char *name, const struct tag_leg *legs,
	      size_t n, bool others_pass, struct error *err) must_check;
/* What comes out of a leg leaves by the port, with the leg's tag unless it is the untagged one. */
int tag_join(const struct wire_place *at, const struct tag_leg *leg, int port, const char *name,
	     struct error *err) must_check;
/* A port for one VLAN: what has another one's tag is dropped, its own is taken off. */
int tag_guard(const struct wire_place *at, int port, const char *name, uint16_t vlan,
	      struct error *err) must_check;

#endif

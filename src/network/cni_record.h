/* src/network/cni_record.h - which leases are attachments of a CNI runtime: a table of state.db.
 *
 * An attachment is a network's name, a container's ID and an interface's name, as CNI has it; its
 * lease is a row as that of any container, under an ID of its own.  The row notes the boot, because
 * no attachment outlives one.
 */
#ifndef NETWORK_CNI_RECORD_H
#define NETWORK_CNI_RECORD_H

#include <stddef.h>

#include "base/error.h"
#include "base/id.h"
#include "base/process.h"

struct db;
struct db_schema;
struct network_site;

extern const struct db_schema cni_record_schema;

struct cni_record {
	char lease[ID_LEN + 1];
	char *network, *container, *ifname;
	char boot[BOOT_ID_LEN + 1];
};

struct cni_records {
	struct cni_record *items;
	size_t n, room;
};
void cni_records_done(struct cni_records *v);

/* Inside a transaction; -EEXIST: there is one. */
int cni_record_add(struct db *db, const struct cni_record *record, struct error *err) must_check;
/* -ENOENT without a text: there is none. */
int cni_record_find(struct db *db, const char *network, const char *container, const char *ifname,
		    char ret_lease[ID_LEN + 1], struct error *err) must_check;
int cni_record_drop(struct db *db, const char *lease, struct error *err) must_check;
/* Of one network, or with NULL all; but, if boot is given, only those of other boots. */
int cni_record_list(struct db *db, const char *network, const char *boot, struct cni_records *ret,
		    struct error *err) must_check;
/* Those of earlier boots go, with their leases: nothing of them is left in the kernel. */
int cni_record_forget_boots(const struct network_site *site, struct error *err) must_check;

#endif

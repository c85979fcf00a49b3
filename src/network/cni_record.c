/* src/network/cni_record.c */
#include "network/cni_record.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/db.h"
#include "network/attach.h"

static const char *const steps[] = {
	"CREATE TABLE cni ("
	" network TEXT NOT NULL,"
	" container TEXT NOT NULL,"
	" ifname TEXT NOT NULL,"
	" lease TEXT NOT NULL UNIQUE,"
	" boot TEXT NOT NULL,"
	" PRIMARY KEY (network, container, ifname))",
	NULL,
};

const struct db_schema cni_record_schema = { .module = "cni", .steps = steps };

void cni_records_done(struct cni_records *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->items[i].network);
		free(v->items[i].container);
		free(v->items[i].ifname);
	}
	free(v->items);
	*v = (struct cni_records) { .n = 0 };
}

int cni_record_add(struct db *db, const struct cni_record *record, struct error *err)
{
	int r = db_run(db, err,
		       "INSERT INTO cni (network, container, ifname, lease, boot)"
		       " VALUES (?1, ?2, ?3, ?4, ?5)",
		       "sssss", record->network, record->container, record->ifname, record->lease,
		       record->boot);

	if (r != -EEXIST)
		return r;
	return error_set(err, r,
			 "container %.70s has interface %s in network %s already; DEL first",
			 record->container, record->ifname, record->network);
}

int cni_record_find(struct db *db, const char *network, const char *container, const char *ifname,
		    char ret_lease[ID_LEN + 1], struct error *err)
{
	struct db_rows rows;
	bool found;
	int r = db_query(db, &rows, err,
			 "SELECT lease FROM cni WHERE network = ?1 AND container = ?2"
			 " AND ifname = ?3",
			 "sss", network, container, ifname);

	if (r < 0)
		return r;
	found = db_next(&rows);
	if (found)
		(void)snprintf(ret_lease, ID_LEN + 1, "%s", db_text(&rows, 0));
	r = db_finish(&rows);
	return r == 0 && !found ? -ENOENT : r;
}

int cni_record_drop(struct db *db, const char *lease, struct error *err)
{
	return db_run(db, err, "DELETE FROM cni WHERE lease = ?1", "s", lease);
}

int cni_record_list(struct db *db, const char *network, const char *boot, struct cni_records *ret,
		    struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT network, container, ifname, lease, boot FROM cni"
			 " WHERE coalesce(network = ?1, 1) AND coalesce(boot <> ?2, 1)"
			 " ORDER BY network, container, ifname",
			 "ss", network, boot);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct cni_record *record;

		VEC_GROW(ret->items, ret->n, ret->room);
		record = &ret->items[ret->n++];
		*record = (struct cni_record) { .network = xstrdup(db_text(&rows, 0)),
						.container = xstrdup(db_text(&rows, 1)),
						.ifname = xstrdup(db_text(&rows, 2)) };
		(void)snprintf(record->lease, sizeof(record->lease), "%s", db_text(&rows, 3));
		(void)snprintf(record->boot, sizeof(record->boot), "%s", db_text(&rows, 4));
	}
	return db_finish(&rows);
}

int cni_record_forget_boots(const struct network_site *site, struct error *err)
{
	struct cni_records old = { 0 };
	char boot[BOOT_ID_LEN + 1];
	int r = boot_id(boot, err);

	if (r == 0)
		r = cni_record_list(site->db, NULL, boot, &old, err);
	for (size_t i = 0; r == 0 && i < old.n; i++) {
		r = network_detach(site, old.items[i].lease, NULL, err);
		if (r == 0)
			r = cni_record_drop(site->db, old.items[i].lease, err);
	}
	cni_records_done(&old);
	return r;
}

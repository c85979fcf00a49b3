/* src/network/names_records.c */
#include "network/names_records.h"

#include "base/buf.h"
#include "base/db.h"

/* By container: a network has many. */
#define RECORDS                                                                                    \
	"SELECT n.name, l.container, coalesce(c.name, ''), s.servers,"                             \
	" (SELECT group_concat(address) FROM addresses a"                                          \
	"  WHERE +a.network = l.network AND a.container = l.container),"                           \
	" (SELECT group_concat(name) FROM aliases a"                                               \
	"  WHERE +a.network = l.network AND a.container = l.container)"                            \
	" FROM leases l JOIN networks n ON n.id = l.network"                                       \
	" LEFT JOIN containers c ON c.id = l.container"                                            \
	" LEFT JOIN name_servers s ON s.container = l.container"

int names_records_add(struct db *db, enum names_scope scope, const char *id, bool is_change,
		      struct buf *text, struct error *err)
{
	static const char *const queries[] = {
		[NAMES_OF_ALL] = RECORDS,
		[NAMES_OF_CONTAINER] = RECORDS " WHERE l.container = ?1",
		[NAMES_OF_NEIGHBOURS] =
			RECORDS " WHERE l.container IN (SELECT container FROM leases WHERE network"
				" IN (SELECT network FROM leases WHERE container = ?1))",
	};
	struct db_rows rows;
	int r = db_query(db, &rows, err, queries[scope], scope == NAMES_OF_ALL ? "" : "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		const char *name = db_text(&rows, 2), *servers = db_text(&rows, 3);
		const char *addresses = db_text(&rows, 4), *aliases = db_text(&rows, 5);

		if (is_change)
			buf_addf(text, "del %s\n", db_text(&rows, 1));
		buf_addf(text, "add %s %s %s ", db_text(&rows, 0), db_text(&rows, 1),
			 addresses ? addresses : "-");
		buf_addf(text, "%s%s%.12s", name, *name ? "," : "", db_text(&rows, 1));
		buf_addf(text, "%s%s", aliases ? "," : "", aliases ? aliases : "");
		buf_addf(text, " %s\n", servers ? servers : "-");
	}
	return db_finish(&rows);
}

int names_records_end(struct buf *text, struct error *err)
{
	int r;

	buf_add_str(text, "end\n");
	r = buf_result(text);
	return r < 0 ? error_set(err, r, "more names of containers than strake-dns takes") : 0;
}

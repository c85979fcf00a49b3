/* src/network/name_servers.c */
#include "network/name_servers.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/db.h"
#include "base/ip.h"
#include "base/strv.h"

int name_servers_note(struct db *db, const char *id, const struct strv *dns, struct error *err)
{
	struct buf text = BUF_INIT(4096);
	int r;

	if (!dns || dns->n == 0)
		return 0;
	for (size_t i = 0; i < dns->n; i++) {
		struct ip ip;

		if (ip_parse(dns->items[i], &ip) < 0) {
			buf_done(&text);
			return error_set(err, -EINVAL, "--dns '%s' is not an address",
					 dns->items[i]);
		}
		buf_addf(&text, "%s%s", i ? "," : "", dns->items[i]);
	}
	r = db_run(db, err,
		   "INSERT OR REPLACE INTO name_servers (container, servers) VALUES (?1, ?2)", "ss",
		   id, buf_text(&text));
	buf_done(&text);
	return r;
}

int name_servers_read(struct db *db, const char *id, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT servers FROM name_servers WHERE container = ?1",
			 "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		autofree char *text = xstrdup(db_text(&rows, 0));
		char *rest = text, *server;

		while ((server = strsep(&rest, ",")))
			strv_add(ret, server);
	}
	return db_finish(&rows);
}

int name_servers_forget(struct db *db, const char *id, struct error *err)
{
	return db_run(db, err, "DELETE FROM name_servers WHERE container = ?1", "s", id);
}

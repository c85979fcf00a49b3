/* src/network/network.c */
#include "network/network.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/json.h"
#include "network/choose.h"
#include "network/definition.h"

static const char *const builtin[] = { NETWORK_DEFAULT, "host", "none" };

void network_done(struct network *network)
{
	free(network->subnets);
	free(network->routes);
	strv_done(&network->peers);
	strv_done(&network->dns);
	strv_done(&network->labels);
	strv_done(&network->opts);
	*network = (struct network) { .id = 0 };
}

bool network_is_mode(const char *name)
{
	return strcmp(name, "none") == 0 || strcmp(name, "host") == 0 ||
	       strncmp(name, "container:", 10) == 0 || name[0] == '/' ||
	       strncmp(name, "ns:", 3) == 0;
}

/* reading */

static int parse_subnet(struct db_rows *rows, struct network_subnet *subnet)
{
	const char *gateway = db_text(rows, 2);

	*subnet = (struct network_subnet) { .id = db_int(rows, 0) };
	if (ip_net_parse(db_text(rows, 1), &subnet->net) < 0 ||
	    (gateway[0] && ip_parse(gateway, &subnet->gateway) < 0) ||
	    ip_parse(db_text(rows, 3), &subnet->first) < 0 ||
	    ip_parse(db_text(rows, 4), &subnet->last) < 0)
		return -EUCLEAN;
	return 0;
}

static int read_subnets(struct db *db, struct network *network, struct error *err)
{
	size_t room = 0;
	struct db_rows rows;
	int bad = 0;
	int r = db_query(db, &rows, err,
			 "SELECT id, net, gateway, first, last FROM subnets WHERE network = ?1"
			 " ORDER BY id",
			 "i", network->id);

	if (r < 0)
		return r;
	while (bad == 0 && db_next(&rows)) {
		VEC_GROW(network->subnets, network->nsubnets, room);
		bad = parse_subnet(&rows, &network->subnets[network->nsubnets++]);
	}
	r = db_finish(&rows);
	if (r == 0 && bad < 0)
		return error_set(err, bad, "network %s: its subnets in the database are damaged",
				 network->name);
	return r;
}

static int take_row(struct db_rows *rows, struct network *n, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	const char *definition = db_text(rows, 7);
	int r = json_load_bytes(definition, strlen(definition), db_text(rows, 1), &doc, err);

	if (r < 0)
		return r;
	n->id = db_int(rows, 0);
	(void)snprintf(n->name, sizeof(n->name), "%s", db_text(rows, 1));
	n->driver = (enum network_driver)db_int(rows, 2);
	(void)snprintf(n->link, sizeof(n->link), "%s", db_text(rows, 3));
	n->managed = db_int(rows, 4) != 0;
	n->kept = db_int(rows, 5) != 0;
	n->created_ns = db_int(rows, 6);
	n->users = db_int(rows, 8);
	return definition_parse(doc, n->name, n, err);
}

static int finish(struct db *db, struct db_rows *rows, struct network *ret, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	int bad = -ENOENT, r;

	if (db_next(rows))
		bad = take_row(rows, &network, err);
	r = db_finish(rows);
	if (r == 0)
		r = bad;
	if (r == 0)
		r = read_subnets(db, &network, err);
	if (r < 0)
		return r;
	*ret = network;
	network = (struct network) { .id = 0 };
	return 0;
}

#define SELECT                                                                                     \
	"SELECT id, name, driver, link, managed, kept, created, definition,"                       \
	" (SELECT count(*) FROM leases l WHERE l.network = n.id) FROM networks n WHERE "

static int find(struct db *db, const char *name, struct network *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, SELECT "name = ?1", "s", name);

	return r < 0 ? r : finish(db, &rows, ret, err);
}

int network_find(struct db *db, const char *name, struct network *ret, struct error *err)
{
	int r = find(db, name, ret, err);

	if (r != -ENOENT)
		return r;
	return error_set(err, r, "no network '%.100s'; 'strake network ls' lists them", name);
}

int network_find_id(struct db *db, int64_t id, struct network *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, SELECT "id = ?1", "i", id);

	if (r == 0)
		r = finish(db, &rows, ret, err);
	return r == -ENOENT ? error_set(err, r, "network %lld is gone", (long long)id) : r;
}

int network_find_default(struct db *db, struct network *ret, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .managed = true,
								  .created_ns = clock_now_ns() };
	int r = find(db, NETWORK_DEFAULT, ret, err);

	if (r != -ENOENT)
		return r;
	(void)snprintf(network.name, sizeof(network.name), NETWORK_DEFAULT);
	network.subnets = xcalloc(1, sizeof(*network.subnets));
	network.nsubnets = 1;
	r = choose_subnet(db, AF_INET, network.subnets, err);
	if (r == 0)
		r = network_insert(db, &network, err);
	return r < 0 ? r : find(db, NETWORK_DEFAULT, ret, err);
}

int network_names(struct db *db, bool with_builtin, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT name FROM networks ORDER BY name", "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	r = db_finish(&rows);
	for (size_t i = 0; with_builtin && r == 0 && i < ARRAY_SIZE(builtin); i++)
		if (!strv_has(ret, builtin[i]))
			strv_add(ret, builtin[i]);
	return r;
}

const struct network_subnet *network_subnet(const struct network *network, uint8_t family)
{
	for (size_t i = 0; i < network->nsubnets; i++)
		if (network->subnets[i].net.ip.family == family)
			return &network->subnets[i];
	return NULL;
}

/* writing */

static int insert_subnet(struct db *db, int64_t network, const struct network_subnet *subnet,
			 struct error *err)
{
	char net[IP_NET_TEXT_LEN], gateway[IP_TEXT_LEN], first[IP_TEXT_LEN], last[IP_TEXT_LEN];

	ip_net_format(&subnet->net, net);
	ip_format(&subnet->gateway, gateway);
	ip_format(&subnet->first, first);
	ip_format(&subnet->last, last);
	return db_run(db, err,
		      "INSERT INTO subnets (network, family, net, gateway, first, last)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		      "iissss", network, (int64_t)subnet->net.ip.family, net, gateway, first, last);
}

int network_insert(struct db *db, const struct network *n, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = definition_format(n);
	autofree char *definition = json_dumps(doc, JSON_COMPACT);
	int64_t id;
	int r = db_run(db, err,
		       "INSERT INTO networks (name, driver, link, managed, kept, created,"
		       " definition) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		       "sisiiis", n->name, (int64_t)n->driver, n->link, (int64_t)n->managed,
		       (int64_t)n->kept, n->created_ns, definition);

	id = db_last_id(db);
	for (size_t i = 0; r == 0 && i < n->nsubnets; i++)
		r = insert_subnet(db, id, &n->subnets[i], err);
	return r;
}

int network_set_link(struct db *db, int64_t id, const char *link, struct error *err)
{
	return db_run(db, err, "UPDATE networks SET link = ?1 WHERE id = ?2", "si", link, id);
}

int network_forget(struct db *db, int64_t id, struct error *err)
{
	return db_run(db, err,
		      "DELETE FROM networks WHERE id = ?1 AND kept = 0"
		      " AND NOT EXISTS (SELECT 1 FROM leases WHERE network = ?1)",
		      "i", id);
}

int network_table(struct db *db, char ret[NETWORK_TABLE_LEN], struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT table_name FROM instance", "");

	if (r < 0)
		return r;
	ret[0] = '\0';
	if (db_next(&rows))
		(void)snprintf(ret, NETWORK_TABLE_LEN, "%s", db_text(&rows, 0));
	return db_finish(&rows);
}

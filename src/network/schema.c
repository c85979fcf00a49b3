/* src/network/schema.c */
#include "network/schema.h"

#include <stddef.h>

#include "base/db.h"

#define OCTETS(x)                                                                                  \
	"(" x " >> 24) || '.' || (" x " >> 16 & 255) || '.' || (" x " >> 8 & 255) || '.' || (" x   \
	" & 255)"

/* Addresses were integers, a container had one network, and there was none but the default one. */
static const char first_form[] = "CREATE TABLE networks ("
				 " id INTEGER PRIMARY KEY,"
				 " name TEXT NOT NULL UNIQUE,"
				 " bridge TEXT NOT NULL UNIQUE,"
				 " net INTEGER NOT NULL UNIQUE," /* host order */
				 " prefix_len INTEGER NOT NULL);"
				 "CREATE TABLE leases ("
				 " container TEXT PRIMARY KEY,"
				 " network INTEGER NOT NULL REFERENCES networks (id),"
				 " ip INTEGER NOT NULL,"
				 " link TEXT NOT NULL UNIQUE,"
				 " UNIQUE (network, ip));"
				 "CREATE TABLE ports ("
				 " ip INTEGER NOT NULL," /* of the host; 0: all */
				 " protocol INTEGER NOT NULL,"
				 " host INTEGER NOT NULL,"
				 " count INTEGER NOT NULL,"
				 " target INTEGER NOT NULL,"
				 " container TEXT NOT NULL,"
				 " PRIMARY KEY (protocol, host, ip));"
				 "CREATE INDEX ports_container ON ports (container)";

/* Texts of addresses are as inet_ntop() writes them. */
static const char several_networks[] =
	"ALTER TABLE networks RENAME TO old_networks;"
	"ALTER TABLE leases RENAME TO old_leases;"
	"ALTER TABLE ports RENAME TO old_ports;"
	"DROP INDEX ports_container;"
	"CREATE TABLE instance (" /* at most one row */
	" table_name TEXT NOT NULL);"
	"CREATE TABLE networks ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" driver INTEGER NOT NULL,"
	" link TEXT NOT NULL," /* bridge or parent; '': none yet */
	" managed INTEGER NOT NULL,"
	" kept INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" definition TEXT NOT NULL);" /* JSON, see definition.h */
	"CREATE UNIQUE INDEX networks_link ON networks (link) WHERE driver = 0 AND link <> '';"
	"CREATE TABLE subnets ("
	" id INTEGER PRIMARY KEY,"
	" network INTEGER NOT NULL REFERENCES networks (id) ON DELETE CASCADE,"
	" family INTEGER NOT NULL,"
	" net TEXT NOT NULL," /* with /N */
	" gateway TEXT NOT NULL,"
	" first TEXT NOT NULL,"
	" last TEXT NOT NULL,"
	" next INTEGER NOT NULL DEFAULT 0);" /* the slot to try first: addresses go round */
	"CREATE INDEX subnets_network ON subnets (network);"
	"CREATE TABLE leases ("
	" container TEXT NOT NULL,"
	" network INTEGER NOT NULL REFERENCES networks (id),"
	" link TEXT NOT NULL," /* the host's end; '' for macvlan and ipvlan */
	" interface TEXT NOT NULL,"
	" mac TEXT NOT NULL,"
	" rate_up INTEGER NOT NULL DEFAULT 0,"
	" rate_down INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (container, network));"
	"CREATE UNIQUE INDEX leases_link ON leases (link) WHERE link <> '';"
	"CREATE INDEX leases_network ON leases (network);"
	"CREATE TABLE addresses ("
	" network INTEGER NOT NULL REFERENCES networks (id),"
	" address TEXT NOT NULL,"
	" subnet INTEGER NOT NULL,"
	" slot INTEGER NOT NULL," /* how far behind the subnet's first */
	" container TEXT NOT NULL,"
	" PRIMARY KEY (network, address));"
	"CREATE INDEX addresses_slot ON addresses (subnet, slot);"
	"CREATE INDEX addresses_container ON addresses (container);"
	/* Given back, but the cable may be there for a moment more; see lease.c. */
	"CREATE TABLE leftovers ("
	" network INTEGER NOT NULL REFERENCES networks (id) ON DELETE CASCADE,"
	" address TEXT NOT NULL,"
	" link TEXT NOT NULL,"
	" PRIMARY KEY (network, address));"
	"CREATE TABLE aliases ("
	" network INTEGER NOT NULL REFERENCES networks (id) ON DELETE CASCADE,"
	" name TEXT NOT NULL,"
	" container TEXT NOT NULL,"
	" PRIMARY KEY (network, name, container));"
	"CREATE INDEX aliases_container ON aliases (container);"
	"CREATE TABLE ports ("
	" family INTEGER NOT NULL," /* of ip; 0: both */
	" ip TEXT NOT NULL,"        /* of the host; '': all */
	" protocol INTEGER NOT NULL,"
	" host INTEGER NOT NULL,"
	" count INTEGER NOT NULL,"
	" target INTEGER NOT NULL,"
	" container TEXT NOT NULL,"
	" PRIMARY KEY (protocol, host, ip));"
	"CREATE INDEX ports_container ON ports (container);"
	"INSERT INTO instance SELECT CASE bridge WHEN 'strake0' THEN 'strake'"
	" ELSE 'strake-' || substr(bridge, 7) END FROM old_networks LIMIT 1;"
	"INSERT INTO networks SELECT id, name, 0, bridge, 1, 0, 0, '{}' FROM old_networks;"
	"INSERT INTO subnets SELECT id, id, 2, " OCTETS("net") " || '/' || prefix_len, " OCTETS("net + 1") ", " OCTETS("net + 1") ", " OCTETS(
		"net + (1 << 32 - prefix_len) - 2") ","
						    " 0 FROM old_networks;"
						    "INSERT INTO leases SELECT container, network, link, 'eth0',"
						    " printf('02:53:%02x:%02x:%02x:%02x', ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255),"
						    " 0, 0 FROM old_leases;"
						    "INSERT INTO addresses SELECT l.network, " OCTETS(
							    "l.ip") ", l.network, l.ip - n.net,"
								    " l.container FROM old_leases l JOIN old_networks n ON n.id = l.network;"
								    "INSERT INTO ports SELECT CASE ip WHEN 0 THEN 0 ELSE 2 END,"
								    " CASE ip WHEN 0 THEN '' ELSE " OCTETS(
									    "ip") " END, protocol, host, count, target, container"
										  " FROM old_ports;"
										  "DROP TABLE old_leases;"
										  "DROP TABLE old_ports;"
										  "DROP TABLE old_networks";

/* Whom strake-dns asks for this container's other questions. */
static const char name_servers[] = "CREATE TABLE name_servers ("
				   " container TEXT PRIMARY KEY,"
				   " servers TEXT NOT NULL)"; /* with commas */

/* Ranges are few: a port is looked for among all of them, and by its number. */
static const char port_ranges[] =
	"CREATE INDEX ports_ranges ON ports (protocol, host) WHERE count > 1";

/* Containers in several networks are few; see names_server.c. */
static const char second_links[] =
	"CREATE INDEX leases_second ON leases (container) WHERE substr(link, -2) <> '-0'";

static const char *const steps[] = { first_form,  several_networks, name_servers,
				     port_ranges, second_links,     NULL };

const struct db_schema network_schema = { .module = "network", .steps = steps };

/* src/engine/schema.c */
#include "engine/schema.h"

#include <stddef.h>

#include "base/db.h"

static const char *const steps[] = {
	"CREATE TABLE containers ("
	" id TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" image TEXT," /* ID of its image; NULL for a directory or a bare file */
	" created INTEGER NOT NULL,"
	" auto_remove INTEGER NOT NULL DEFAULT 0,"
	" active INTEGER NOT NULL DEFAULT 0,"
	" boot TEXT,"
	" maker INTEGER," /* pid and start time of the command that makes it */
	" maker_start INTEGER);"
	"CREATE INDEX containers_active ON containers (active) WHERE active <> 0;"
	"CREATE INDEX containers_image ON containers (image)",
	NULL,
};

const struct db_schema engine_schema = { .module = "engine", .steps = steps };

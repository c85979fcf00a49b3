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
	" boot TEXT);"
	"CREATE INDEX containers_active ON containers (active) WHERE active = 1;"
	"CREATE INDEX containers_image ON containers (image)",
	NULL,
};

const struct db_schema engine_schema = { .module = "engine", .steps = steps };

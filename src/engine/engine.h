/* src/engine/engine.h - where one instance of strake keeps its state, opened.
 *
 * Root (lasting) and run root (gone at reboot) as DESIGN section 4; two engines with other roots
 * live side by side.  Opening makes the directories and the database if they are missing; in a dry
 * run nothing is made and a missing database is one in memory.  So is one that the user may not
 * read: a run from a file or a directory can be told without it, what looks at state cannot.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct db;
struct network_site;

struct engine_options {
	const char *root;     /* NULL: /var/lib/strake, or $XDG_DATA_HOME/strake for a user */
	const char *run_root; /* NULL: /run/strake, or $XDG_RUNTIME_DIR/strake */
	bool looks;           /* a root is not made with its parents: who mistypes it is told */
};

struct engine {
	char *root; /* absolute */
	char *run_root;
	int root_fd; /* -1 in a dry run if the directory is not there */
	int run_fd;
	struct db *db;
	bool is_blind;        /* a dry run, and there is a state that the user may not read */
	char *libexec;        /* directory of strake-monitor and its like */
	struct nft_door *nft; /* owned */
	char *self;           /* path of the strake program, for clean-up commands */
	struct strv revived;  /* what died and was started again on opening, a line each */
};

int engine_open(const struct engine_options *options, struct engine **ret,
		struct error *err) must_check;
void engine_close(struct engine *engine);
/* Closes its database for as long as children of this process have theirs: SQLite does not work on
 * both sides of a fork.
 */
void engine_rest(struct engine *engine);
int engine_resume(struct engine *engine, struct error *err) must_check;
/* For a state database that engine_open() refuses as damaged (-EUCLEAN): out of the way, for
 * whoever wants to look at it; the next opening makes it again from the files.  *ret: where it is
 * now.
 */
int engine_db_aside(const struct engine_options *options, char **ret, struct error *err) must_check;

/* -EPERM for anybody but root; what: why it is needed, "it mounts". */
int engine_need_root(const char *what, struct error *err) must_check;
/* What is to be added to a failure of a command: of a blind one, and of one that found no room. */
void engine_advise(struct engine *engine, struct error *err);

struct network_site engine_network(const struct engine *engine);
struct db *engine_db(struct engine *engine);
const char *engine_root(const struct engine *engine);
int engine_root_fd(const struct engine *engine);

/* "strake-monitor" to the path of that program; the caller frees. */
char *engine_program(const struct engine *engine, const char *name);
/* Directory with our helper programs, found from where this program lies; the caller frees. */
char *libexec_find(void);

#endif

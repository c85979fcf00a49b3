/* src/cmd/cmd.h - a command is one file, one struct cmd and one row in a program's table.
 *
 * The dispatcher finds the row, parses the options into a struct of args_size bytes, checks the
 * number of operands, opens the engine if the command wants one, calls run and turns the result
 * into an exit status: >= 0 is the status itself, < 0 is reported as "strake NAME: text" and
 * becomes err->status (126, 127) if set, else error_status, else 1.  A usage error exits 2 (125 for
 * commands with error_status 125, as Docker's run and exec do).
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/opt.h"

struct engine;

enum cmd_flags {
	CMD_PLAIN = 0,
	CMD_FIRST_OPERAND = 1, /* the first operand ends the options */
	CMD_HIDDEN = 2,        /* not in --help: called by our own programs */
	CMD_MAKES = 4,         /* what it makes may be the first: it makes its root, too */
};

struct cmd {
	const char *name;
	const char *operands; /* "CONTAINER...", "[OPTIONS] IMAGE [COMMAND...]"; "" for none */
	const char *help;     /* one line, large first letter, no period */
	const char *details;  /* paragraphs for --help and the man page; may be NULL */
	const struct opt *opts;
	size_t args_size;
	const void *defaults; /* what args starts as; NULL: zeroes */
	int min_operands, max_operands;
	enum cmd_flags flags;
	int error_status;
	const struct cmd *const
		*sub; /* "network ls": a NULL-terminated table, then run is unused */
	/* With sub: what is meant when the first word is none of these ("why A B"); may be NULL. */
	const struct cmd *otherwise;
	/* Another name for that command ("image ls" for "images"): nothing but name is used. */
	const struct cmd *same;
	/* With CMD_FIRST_OPERAND: whether options may also stand right behind this first operand,
	 * up to the next word or "--".  NULL: never.
	 */
	bool (*goes_on)(const void *args, const char *operand);
	/* Exactly one of the two.  args is the filled struct. */
	int (*run)(struct engine *engine, const void *args, int argc, char **argv,
		   struct error *err);
	int (*run_alone)(const void *globals, const void *args, int argc, char **argv,
			 struct error *err);
};

/* A line above a command in --help: "Containers" above run. */
struct cmd_heading {
	const char *title;
	const struct cmd *above;
};

struct program {
	const char *name;                   /* "strake" */
	const char *help;                   /* what it is, one line */
	const struct cmd *const *cmds;      /* NULL-terminated */
	const struct cmd_heading *headings; /* ends with a NULL title; NULL: "Commands" above all */
	const struct opt *global_opts;      /* accepted before and behind the command's name */
	size_t globals_size;
	/* After all options are parsed, before run; may be NULL. */
	int (*setup)(const void *globals, struct error *err);
	/* For commands with run; NULL in programs that have none. */
	int (*open)(const void *globals, const struct cmd *cmd, struct engine **ret,
		    struct error *err);
	void (*close)(struct engine *engine);
	/* After run failed: adds to the text what only the engine knows; may be NULL. */
	void (*advise)(struct engine *engine, struct error *err);
	/* What to do with an unknown command: returns -ENOENT if nothing; may be NULL. */
	int (*fallback)(int argc, char **argv, struct error *err);
	/* How a failure reaches the user; NULL: "NAME: text" on standard error. */
	void (*report)(const void *globals, const struct error *err);
};

/* The whole of a main(): parses, runs, reports, returns the exit status. */
int program_main(const struct program *program, int argc, char **argv);

/* A failure that does not end the command (one of several operands). */
void cmd_report(const char *command, const struct error *err);

/* The command's name as the user typed it, "image rm"; "" before it was read. */
const char *cmd_typed(void);
/* How a program that is called for a command is told it: the beginning of its argv[0]. */
#define HANDOVER_NAME "strake "

#endif

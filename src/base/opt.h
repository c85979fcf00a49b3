/* src/base/opt.h - options as rows of a table; parser, --help and man pages read the same rows.
 *
 * The kind of an option follows from the type of the field that it fills, so they cannot disagree.
 * Accepted: --name VALUE, --name=VALUE, --flag, --flag=false, -n VALUE, -nVALUE, -n=VALUE,
 * -f=false, clusters (-dit), and "--" which ends the options.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strv.h"

enum opt_kind { OPT_BOOL, OPT_INT, OPT_STRING, OPT_LIST, OPT_SIZE, OPT_NOT_HERE };

struct opt {
	const char *name; /* long name without dashes; NULL ends the table */
	char letter;      /* short name or 0 */
	enum opt_kind kind;
	size_t offset;       /* of the field */
	const char *operand; /* "SIGNAL"; NULL for a bool */
	const char *help;    /* half a sentence, small first letter */
	const char *bare;    /* of a string: its value without "=VALUE"; then it never takes the
				next argument; NULL: it wants one */
	const char *words;   /* with bare: "always never"; one of them as the next argument was
				meant as the value and is refused */
};

#define OPT_KIND(x)                                                                                \
	_Generic((x), bool : OPT_BOOL, int : OPT_INT, const char * : OPT_STRING,                   \
		 struct strv : OPT_LIST, uint64_t : OPT_SIZE)
#define OPT(type, field, name_, letter_, operand_, help_)                                          \
	{                                                                                          \
		.name = (name_), .letter = (letter_), .kind = OPT_KIND(((type *)0)->field),        \
		.offset = offsetof(type, field), .operand = (operand_), .help = (help_),           \
	}

#define OPT_BARE(type, field, name_, bare_, words_, operand_, help_)                               \
	{                                                                                          \
		.name = (name_), .kind = OPT_KIND(((type *)0)->field),                             \
		.offset = offsetof(type, field), .operand = (operand_), .help = (help_),           \
		.bare = (bare_), .words = (words_),                                                \
	}

/* Of other programs, and not of this one: whoever gives it is told why, and what to do instead.
 * --help does not list it.
 */
#define OPT_REFUSED(name_, why_)                                                                   \
	{                                                                                          \
		.name = (name_), .kind = OPT_NOT_HERE, .help = (why_),                             \
	}

/* A table and the struct whose fields it fills. */
struct opt_set {
	const struct opt *opts;
	void *fields;
};

enum opt_flags {
	OPT_ANYWHERE = 0, /* operands and options may be mixed */
	OPT_FIRST_OPERAND =
		1 /* the first operand ends the options: what follows is a command line */
};

/* sets ends with a row whose opts is NULL.  argv[0] is the first argument, not the program.  The
 * operands are moved to the front of argv; returns their number, -ENOENT for an unknown option or
 * -EINVAL for a bad value, with a text that names it.  Strings in fields point into argv; lists own
 * their copies (opt_done()).
 */
int opt_parse(const struct opt_set *sets, enum opt_flags flags, int argc, char **argv,
	      struct error *err) must_check;
/* The other way: the arguments that would fill fields like this, "--name=value" each. */
void opt_format(const struct opt *opts, const void *fields, struct strv *ret);
void opt_done(const struct opt *opts, void *fields); /* frees the lists */
void opt_help(const struct opt *opts, FILE *to);

#endif

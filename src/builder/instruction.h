/* src/builder/instruction.h - one logical line of a Containerfile as data: what it is, its flags,
 * its words.  Nothing is expanded and nothing is looked up here.
 */
#ifndef BUILDER_INSTRUCTION_H
#define BUILDER_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct containerfile;
struct fault;
struct line;

enum instruction_kind {
	INS_ADD,
	INS_ARG,
	INS_CMD,
	INS_COPY,
	INS_ENTRYPOINT,
	INS_ENV,
	INS_EXPOSE,
	INS_FROM,
	INS_HEALTHCHECK,
	INS_LABEL,
	INS_MAINTAINER,
	INS_ONBUILD,
	INS_RUN,
	INS_SHELL,
	INS_STOPSIGNAL,
	INS_USER,
	INS_VOLUME,
	INS_WORKDIR,
	N_INSTRUCTIONS,
};

struct instruction {
	enum instruction_kind kind;
	const struct line *line; /* borrowed: its text, place and here-documents */
	struct strv flags;       /* "from=base"; one without a value is "link=true" */
	char *rest;              /* behind the flags; "" if nothing */
	/* ADD, COPY, EXPOSE, FROM, VOLUME: the words; CMD, ENTRYPOINT, RUN, SHELL, HEALTHCHECK CMD
	 * in exec form: the arguments, else the shell's line as the only one; ENV, LABEL:
	 * NAME=VALUE each, ARG: NAME or NAME=VALUE, quotes and all; others: rest.
	 */
	struct strv words;
	bool is_exec; /* words came as a list of JSON */
};

/* The flags and the number of words are checked; where is set on failure. */
int instruction_parse(const struct line *line, char escape, const char *file,
		      struct instruction *ret, struct fault *ret_fault,
		      struct error *err) must_check;
void instruction_done(struct instruction *ins);

struct instructions {
	struct instruction *items;
	size_t n;
};

/* Every line of a file, which must stay. */
int instructions_parse(const struct containerfile *file, const char *name, struct instructions *ret,
		       struct fault *ret_fault, struct error *err) must_check;
void instructions_done(struct instructions *all);

const char *instruction_word(enum instruction_kind kind); /* "COPY" */
/* The last value of a flag, NULL if it was not given. */
const char *instruction_flag(const struct instruction *ins, const char *name);
bool instruction_has(const struct instruction *ins, const char *name); /* given, and not "false" */

#endif

/* src/builder/scope.h - the variables that an instruction sees: build arguments as they are
 * declared, and the environment of the image, which wins.
 */
#ifndef BUILDER_SCOPE_H
#define BUILDER_SCOPE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "builder/word.h"

struct instruction;

/* What the command line gives, and what every build knows: the same for all stages. */
struct scope_given {
	struct strv args;      /* --build-arg NAME=VALUE */
	struct strv platforms; /* TARGETOS=linux and its like: seen before the first FROM */
	struct strv global;    /* ARG before the first FROM, as they came out */
};

/* build_args: NAME=VALUE, or NAME to take ours. */
int scope_given_init(struct scope_given *given, const struct strv *build_args, const char *platform,
		     struct error *err) must_check;
void scope_given_done(struct scope_given *given);

struct scope {
	const struct scope_given *given;
	struct strv args; /* declared here, NAME=VALUE */
	struct strv env;
	bool is_global; /* before the first FROM, or in a FROM */
	char escape;
	char *failed; /* a text from where it could not be expanded; NULL: none failed */
};

void scope_done(struct scope *scope);
struct word_scope scope_words(struct scope *scope);

/* ARG: its words become variables. */
int scope_declare(struct scope *scope, const struct instruction *ins, struct error *err) must_check;
/* HTTP_PROXY and the others, known without an ARG; of no key and no history. */
bool scope_is_proxy(const char *name);
/* Those that our environment has, as NAME=VALUE. */
void scope_proxies(struct strv *ret);
/* What a command run here finds in its environment beside the image's: the arguments declared that
 * no ENV hides, and with proxies those that were given.
 */
void scope_run_env(const struct scope *scope, bool proxies, struct strv *ret);
/* Arguments that no ARG took; the caller warns. */
void scope_given_unused(const struct scope_given *given, const struct strv *declared,
			struct strv *ret);

#endif

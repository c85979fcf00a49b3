/* src/builder/word.h - variables in an instruction's text: $v ${v} ${v:-w} ${v:+w} ${v:?m}, the
 * same without the colon (only an unset variable counts), ${v#p} ${v##p} ${v%p} ${v%%p} ${v/p/w}
 * ${v//p/w}.
 *
 * Quotes and the escape character work as in a shell and are taken out.  A pattern knows * and ?;
 * an escape makes either an ordinary character.
 */
#ifndef BUILDER_WORD_H
#define BUILDER_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

#define WORD_MAX                                                                                   \
	(1U << 20) /* bytes of one text when all is put in; an image's config has 4 MiB            \
		    */

struct word_scope {
	/* The value, or NULL if there is no such variable. */
	const char *(*get)(void *data, const char *name);
	/* Told of $v and ${v} without a value and without a word in its place.  May be NULL. */
	void (*missed)(void *data, const char *name);
	/* Told of the place in the text where what cannot be read begins.  May be NULL. */
	void (*failed)(void *data, const char *at);
	void *data;
	char escape; /* '\\' or '`' */
};

/* One text; blanks stay. */
int word_expand(const struct word_scope *scope, const char *text, char **ret,
		struct error *err) must_check;
/* Words: blanks outside of quotes part them, those that a variable brings, too. */
int word_split(const struct word_scope *scope, const char *text, struct strv *ret,
	       struct error *err) must_check;

/* Does a pattern of * ? and escapes match the first len bytes of text, all of them? */
bool word_pattern_matches(const char *pattern, char escape, const char *text, size_t len);

#endif

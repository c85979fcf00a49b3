/* src/builder/containerfile.h - the text of a Containerfile in logical lines: directives read,
 * comments and blank lines dropped, continued lines joined, here-documents taken off.
 *
 * Bytes in, lines out; what the lines say is instruction.h's business.
 */
#ifndef BUILDER_CONTAINERFILE_H
#define BUILDER_CONTAINERFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define CONTAINERFILE_MAX       (4U << 20)
#define CONTAINERFILE_LINES_MAX 20000 /* instructions */

/* Where a mistake is, for whoever shows the line. */
struct fault {
	unsigned line;   /* from 1; 0: nowhere */
	unsigned column; /* from 1, bytes */
};

/* "<<NAME" on a line, and what followed. */
struct heredoc {
	char *name;
	char *content; /* with its last newline; "" if empty */
	bool expands;  /* the name was not quoted */
	bool tabs_go;  /* "<<-": leading tabs are no part of it */
};

/* A piece of a logical line, which one line of the file gave. */
struct line_piece {
	size_t offset; /* in text */
	unsigned line, column;
};

struct line {
	char *text; /* without blanks around it; never empty */
	unsigned first, last;
	unsigned empty; /* line number of a blank line that it is continued over; 0: none */
	char *comment;  /* the comment lines right above it, without their "#"; NULL */
	struct line_piece *pieces;
	size_t npieces, pieces_room;
	struct heredoc *docs;
	size_t ndocs, docs_room;
};

struct containerfile {
	char escape;
	char *syntax; /* of "# syntax=", or NULL; noted and not fetched: the language is ours */
	char *check;  /* of "# check=" */
	struct line *lines;
	size_t n, room;
};

/* name is what errors call it.  On failure *ret_fault says where. */
int containerfile_parse(const char *bytes, size_t len, const char *name, struct containerfile *ret,
			struct fault *ret_fault, struct error *err) must_check;
void containerfile_done(struct containerfile *file);

/* Where in the file the byte at offset of a line's text stands. */
struct fault line_fault(const struct line *line, size_t offset);
/* The same of a text that the line has; where it begins, if it has not.  text may be NULL. */
struct fault line_fault_of(const struct line *line, const char *text);
/* The line and a caret under the place, two lines for a terminal; the caller frees. */
char *fault_show(const struct fault *fault, const char *bytes, size_t len);

#endif

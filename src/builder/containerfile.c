/* src/builder/containerfile.c */
#include "builder/containerfile.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

#define BLANKS   " \t\r\v\f"
#define SHOW_MAX 200 /* bytes of a line that are shown */

struct reader {
	const char *at, *end;
	const char *name;
	unsigned number; /* of the line that was read last */
	struct containerfile *file;
	struct buf comment; /* lines of it that stand right above */
	struct fault *fault;
	struct error *err;
};

static int fail(const struct reader *rd, struct fault where, const char *text)
{
	*rd->fault = where;
	return error_set(rd->err, -EINVAL, "%s:%u: %s", rd->name, where.line, text);
}

/* The next line of the file without its end.  false: there is none. */
static bool next_line(struct reader *rd, const char **ret, size_t *ret_len)
{
	const char *stop;
	size_t len;

	if (rd->at >= rd->end)
		return false;
	stop = memchr(rd->at, '\n', (size_t)(rd->end - rd->at));
	len = (size_t)((stop ? stop : rd->end) - rd->at);
	*ret = rd->at;
	rd->at += len + 1;
	rd->number++;
	if (len > 0 && (*ret)[len - 1] == '\r')
		len--;
	*ret_len = len;
	return true;
}

static size_t blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && strchr(BLANKS, text[n]))
		n++;
	return n;
}

/* directives */

static int take_directive(struct reader *rd, const char *key, const char *value)
{
	struct containerfile *f = rd->file;
	const struct fault here = { rd->number, 1 };
	bool is_escape = strcasecmp(key, "escape") == 0;
	char **place = strcasecmp(key, "syntax") == 0  ? &f->syntax
		       : strcasecmp(key, "check") == 0 ? &f->check
						       : NULL;

	if (!is_escape && !place)
		return 0;
	if (is_escape ? f->escape != '\0' : *place != NULL)
		return fail(rd, here, "only one parser directive of a kind can be used");
	if (!is_escape) {
		*place = xstrdup(value);
		return 1;
	}
	if (strcmp(value, "\\") != 0 && strcmp(value, "`") != 0)
		return fail(rd, here, "escape is either \\ or `");
	f->escape = *value;
	return 1;
}

/* "# key=value".  1: it was one; 0: a comment like any other, and no directive may follow. */
static int read_directive(struct reader *rd, const char *text, size_t len)
{
	autofree char *line = xstrndup(text, len), *key = NULL;
	char *p = line + blanks(line, len), *value;
	size_t n = 0, end;

	if (*p++ != '#')
		return 0;
	p += strspn(p, BLANKS);
	while (isalnum((unsigned char)p[n]))
		n++;
	value = p + n + strspn(p + n, BLANKS);
	if (n == 0 || *value++ != '=')
		return 0;
	value += strspn(value, BLANKS);
	end = strlen(value);
	while (end > 0 && strchr(BLANKS, value[end - 1]))
		end--;
	value[end] = '\0';
	key = xstrndup(p, n);
	return *value ? take_directive(rd, key, value) : 0;
}

static int read_directives(struct reader *rd)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *text;
	size_t len;
	int r = 1;

	if (rd->end - rd->at >= 3 && memcmp(rd->at, mark, 3) == 0)
		rd->at += 3;
	while (r > 0) {
		const char *before = rd->at;

		if (!next_line(rd, &text, &len))
			break;
		r = read_directive(rd, text, len);
		if (r == 0) {
			rd->at = before;
			rd->number--;
		}
	}
	if (!rd->file->escape)
		rd->file->escape = '\\';
	return r < 0 ? r : 0;
}

/* here-documents */

static void heredocs_done(struct line *line)
{
	for (size_t i = 0; i < line->ndocs; i++) {
		free(line->docs[i].name);
		free(line->docs[i].content);
	}
	free(line->docs);
}

static void line_done(struct line *line)
{
	heredocs_done(line);
	free(line->pieces);
	free(line->text);
	free(line->comment);
}

/* Only these have them, and ONBUILD of these. */
static bool may_have_heredocs(const char *text)
{
	static const char *const words[] = { "ADD", "COPY", "RUN" };
	size_t n = strcspn(text, BLANKS);

	if (n == 7 && strncasecmp(text, "ONBUILD", n) == 0) {
		text += n;
		text += strspn(text, BLANKS);
		n = strcspn(text, BLANKS);
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == n && strncasecmp(text, words[i], n) == 0)
			return text[n + strspn(text + n, BLANKS)] != '[';
	return false;
}

/* At "<<": its name, without quotes.  false: "<<<", or nothing that names an end. */
static bool take_heredoc(struct line *line, const char **at, char escape)
{
	const char *p = *at + 2;
	bool tabs_go = *p == '-';
	autofree char *name = NULL;
	size_t len = 0;
	bool quoted = false;
	char quote = 0;

	p += tabs_go;
	name = xmalloc(strlen(p) + 1);
	for (; *p && (quote || !strchr(BLANKS "<>|&;()", *p)); p++) {
		if (*p == quote) {
			quote = 0;
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
			quoted = true;
		} else if (!quote && *p == escape) {
			quoted = true;
		} else {
			name[len++] = *p;
		}
	}
	name[len] = '\0';
	*at = p;
	if (len == 0 || quote || *p == '<')
		return false;
	VEC_GROW(line->docs, line->ndocs, line->docs_room);
	line->docs[line->ndocs++] = (struct heredoc) {
		.name = steal_ptr(&name), .content = NULL, .expands = !quoted, .tabs_go = tabs_go
	};
	return true;
}

/* "<<" is one at the head of a word, behind the number of a descriptor or nothing; that of
 * $((1<<2)) is not.
 */
static bool heads_word(const char *text, const char *at)
{
	while (at > text && isdigit((unsigned char)at[-1]))
		at--;
	return at == text || strchr(BLANKS, at[-1]);
}

/* Those of a line, outside of quotes. */
static void find_heredocs(struct line *line, char escape)
{
	char quote = 0;

	for (const char *p = line->text; *p;) {
		if (*p == escape && p[1] && quote != '\'') {
			p += 2;
		} else if (quote || *p == '"' || *p == '\'') {
			quote = *p == quote ? 0 : quote ? quote : *p;
			p++;
		} else if (strncmp(p, "<<<", 3) == 0) {
			p += 3;
		} else if (strncmp(p, "<<", 2) == 0 && heads_word(line->text, p)) {
			(void)take_heredoc(line, &p, escape);
		} else {
			p++;
		}
	}
}

static int read_heredoc(struct reader *rd, struct line *line, struct heredoc *doc)
{
	struct buf content = BUF_INIT(CONTAINERFILE_MAX);
	const char *text;
	size_t len, skip;

	while (next_line(rd, &text, &len)) {
		for (skip = 0; doc->tabs_go && skip < len && text[skip] == '\t';)
			skip++;
		if (len - skip == strlen(doc->name) &&
		    memcmp(text + skip, doc->name, len - skip) == 0) {
			doc->content = buf_steal(&content);
			line->last = rd->number;
			return 0;
		}
		buf_add(&content, text + skip, len - skip);
		buf_add_char(&content, '\n');
	}
	buf_done(&content);
	error_set(rd->err, -EINVAL, "%s:%u: the here-document never ends: no line is '%s'",
		  rd->name, line->first, doc->name);
	*rd->fault = line_fault(line, (size_t)(strstr(line->text, "<<") - line->text));
	return -EINVAL;
}

/* lines */

/* Is the line continued: does it end in an escape that is not escaped itself?  Its length without.
 */
static bool is_continued(const struct reader *rd, const char *text, size_t *len)
{
	char escape = rd->file->escape;
	size_t n = *len;

	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	if (n == 0 || text[n - 1] != escape || (n > 1 && text[n - 2] == escape))
		return false;
	*len = n - 1;
	return true;
}

static void add_piece(struct line *line, struct buf *text, const char *bytes, size_t len,
		      unsigned number, unsigned column)
{
	VEC_GROW(line->pieces, line->npieces, line->pieces_room);
	line->pieces[line->npieces++] = (struct line_piece) { text->len, number, column };
	buf_add(text, bytes, len);
}

/* What follows a continued line: comments and blank lines in between are dropped. */
static void read_continuation(struct reader *rd, struct line *line, struct buf *text)
{
	const char *bytes;
	size_t len;
	bool more = true;

	while (more && next_line(rd, &bytes, &len)) {
		size_t skip = blanks(bytes, len);

		if (skip == len && !line->empty)
			line->empty = rd->number;
		if (skip == len || bytes[skip] == '#')
			continue;
		more = is_continued(rd, bytes, &len);
		add_piece(line, text, bytes, len, rd->number, 1);
		line->last = rd->number;
	}
}

static void trim_end(struct line *line)
{
	size_t n = strlen(line->text);

	while (n > 0 && strchr(BLANKS, line->text[n - 1]))
		line->text[--n] = '\0';
}

/* Directives are read before, so a "#" here is never one. */
static void keep_comment(struct reader *rd, const char *bytes, size_t len)
{
	size_t skip = blanks(bytes, len);

	if (rd->comment.len > 0)
		buf_add_char(&rd->comment, '\n');
	buf_add(&rd->comment, bytes + skip, len - skip);
}

static char *take_comment(struct reader *rd)
{
	char *text = rd->comment.len > 0 ? xstrdup(buf_text(&rd->comment)) : NULL;

	buf_reset(&rd->comment);
	return text;
}

static int read_line(struct reader *rd, const char *bytes, size_t len, struct line *line)
{
	struct buf text = BUF_INIT(CONTAINERFILE_MAX);
	size_t skip = blanks(bytes, len);
	bool more;
	int r = 0;

	if (skip < len && bytes[skip] == '#') {
		keep_comment(rd, bytes + skip + 1, len - skip - 1);
		return 0;
	}
	line->comment = take_comment(rd);
	bytes += skip;
	len -= skip;
	line->first = line->last = rd->number;
	more = is_continued(rd, bytes, &len);
	add_piece(line, &text, bytes, len, rd->number, (unsigned)skip + 1);
	if (more)
		read_continuation(rd, line, &text);
	line->text = buf_steal(&text);
	trim_end(line);
	if (may_have_heredocs(line->text))
		find_heredocs(line, rd->file->escape);
	for (size_t i = 0; r == 0 && i < line->ndocs; i++)
		r = read_heredoc(rd, line, &line->docs[i]);
	return r;
}

static int read_lines(struct reader *rd)
{
	struct containerfile *f = rd->file;
	const char *bytes;
	size_t len;
	int r = 0;

	while (r == 0 && next_line(rd, &bytes, &len)) {
		struct line line = { NULL };

		if (f->n >= CONTAINERFILE_LINES_MAX)
			return fail(rd, (struct fault) { rd->number, 1 }, "too many instructions");
		r = read_line(rd, bytes, len, &line);
		if (r < 0 || !line.text || !line.text[strspn(line.text, BLANKS)]) {
			line_done(&line);
			continue;
		}
		VEC_GROW(f->lines, f->n, f->room);
		f->lines[f->n++] = line;
	}
	return r;
}

int containerfile_parse(const char *bytes, size_t len, const char *name, struct containerfile *ret,
			struct fault *ret_fault, struct error *err)
{
	struct containerfile file = { .escape = '\0' };
	struct reader rd = { .at = bytes,
			     .end = bytes + len,
			     .name = name,
			     .file = &file,
			     .fault = ret_fault,
			     .err = err };
	int r;

	*ret_fault = (struct fault) { 0, 0 };
	if (len > CONTAINERFILE_MAX)
		return error_set(err, -EFBIG, "%s is larger than %u bytes", name,
				 CONTAINERFILE_MAX);
	if (memchr(bytes, '\0', len))
		return error_set(err, -EINVAL, "%s holds a NUL byte; it is no text", name);
	r = read_directives(&rd);
	buf_init(&rd.comment, CONTAINERFILE_MAX);
	if (r == 0)
		r = read_lines(&rd);
	buf_done(&rd.comment);
	if (r < 0) {
		containerfile_done(&file);
		return r;
	}
	*ret = file;
	return 0;
}

void containerfile_done(struct containerfile *file)
{
	for (size_t i = 0; i < file->n; i++)
		line_done(&file->lines[i]);
	free(file->lines);
	free(file->syntax);
	free(file->check);
	*file = (struct containerfile) { .escape = '\\' };
}

/* places */

struct fault line_fault(const struct line *line, size_t offset)
{
	struct fault where = { line->first, 1 };

	for (size_t i = 0; i < line->npieces && line->pieces[i].offset <= offset; i++) {
		where.line = line->pieces[i].line;
		where.column = line->pieces[i].column + (unsigned)(offset - line->pieces[i].offset);
	}
	return where;
}

struct fault line_fault_of(const struct line *line, const char *text)
{
	const char *at = text && *text ? strstr(line->text, text) : NULL;

	return line_fault(line, at ? (size_t)(at - line->text) : 0);
}

char *fault_show(const struct fault *fault, const char *bytes, size_t len)
{
	struct reader rd = { .at = bytes, .end = bytes + len };
	autofree char *line = NULL, *mark = NULL;
	const char *text = "";
	size_t n = 0, column;

	while (rd.number < fault->line && next_line(&rd, &text, &n))
		;
	column = fault->column > 0 ? MIN(fault->column - 1, n) : 0;
	line = xstrndup(text, MIN(n, SHOW_MAX));
	mark = xcalloc(1, column + 1);
	column = MIN(column, strlen(line));
	for (size_t i = 0; line[i]; i++)
		line[i] = line[i] == '\t' ? ' ' : line[i];
	memset(mark, ' ', column);
	text_clean(line);
	return xasprintf("%5u | %s\n      | %s^", fault->line, line, mark);
}

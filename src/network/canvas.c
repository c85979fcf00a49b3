/* src/network/canvas.c */
#include "network/canvas.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

/* The character for line ends in north, east, south, west, each 0 none, 1 thin, 2 thick: its place
 * is that number to base 3.
 */
static const char line_characters[] = " ╴╸╷╮┑╻┒┓╶─╾╭┬┭┎┰┱╺╼━┍┮┯┏┲┳"
				      "╵╯┙│┤┥╽┧┪╰┴┵├┼┽┟╁╅┕┶┷┝┾┿┢╆╈"
				      "╹┚┛╿┦┩┃┨┫┖┸┹┞╀╃┠╂╉┗┺┻┡╄╇┣╊╋";

static const struct {
	uint32_t character;
	const char *ascii;
} plain_words[] = {
	{ 0x25b6, ">" }, /* ▶ */
	{ 0x2026, "." }, /* ellipsis */
	{ 0x00b7, "-" }, /* · */
	{ 0x2717, "x" }, /* ✗ */
};

static const char *const colours[] = { "0", "2", "31", "36", "33", "35", "32", "34", "91" };

void canvas_init(struct canvas *c, unsigned columns)
{
	*c = (struct canvas) { .columns = MIN(columns, CANVAS_COLUMNS_MAX) };
}

void canvas_done(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas) { .columns = 0 };
}

/* NULL outside of the drawing. */
static struct canvas_cell *cell(struct canvas *c, unsigned x, unsigned y)
{
	if (x >= c->columns || y >= CANVAS_ROWS_MAX)
		return NULL;
	if (y >= c->rows) {
		unsigned rows = MAX(y + 1, MIN(2 * c->rows, CANVAS_ROWS_MAX));
		size_t before = (size_t)c->rows * c->columns;

		c->cells = xrealloc(c->cells, (size_t)rows * c->columns, sizeof(*c->cells));
		memset(c->cells + before, 0,
		       ((size_t)rows * c->columns - before) * sizeof(*c->cells));
		c->rows = rows;
	}
	return &c->cells[(size_t)y * c->columns + x];
}

/* The next character of UTF-8; anything that is none is a question mark. */
static uint32_t next_character(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	unsigned more = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
	uint32_t ch = s[0];

	*text += 1;
	if (more == 0)
		return ch < ' ' || ch == 0x7f ? '?' : ch;
	ch &= 0x3fU >> more;
	for (unsigned i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return '?';
		ch = ch << 6 | (s[i] & 0x3fU);
	}
	*text += more;
	return s[0] < 0xc2 || ch < 0xa0 ? '?' : ch;
}

unsigned canvas_text_width(const char *text)
{
	unsigned n = 0;

	while (*text) {
		(void)next_character(&text);
		n++;
	}
	return n;
}

static void put(struct canvas *c, unsigned x, unsigned y, uint32_t character, unsigned colour)
{
	struct canvas_cell *at = cell(c, x, y);

	if (at)
		*at = (struct canvas_cell) { .character = character, .colour = (uint8_t)colour };
}

void canvas_text(struct canvas *c, unsigned x, unsigned y, unsigned width, unsigned colour,
		 const char *text)
{
	bool cut = width && canvas_text_width(text) > width;

	for (unsigned i = 0; *text && (!width || i < width); i++) {
		uint32_t character = next_character(&text);

		put(c, x + i, y, cut && i + 1 == width ? 0x2026 : character, colour);
	}
}

static void add_ends(struct canvas *c, unsigned x, unsigned y, const struct canvas_cell *ends)
{
	struct canvas_cell *at = cell(c, x, y);

	if (!at)
		return;
	if (at->character)
		*at = (struct canvas_cell) { .character = 0 };
	if (MAX(MAX(at->north, at->south), MAX(at->east, at->west)) <
	    MAX(MAX(ends->north, ends->south), MAX(ends->east, ends->west)))
		at->colour = ends->colour;
	at->north = MAX(at->north, ends->north);
	at->east = MAX(at->east, ends->east);
	at->south = MAX(at->south, ends->south);
	at->west = MAX(at->west, ends->west);
}

void canvas_line(struct canvas *c, unsigned x1, unsigned y1, unsigned x2, unsigned y2,
		 enum canvas_pen pen, unsigned colour)
{
	assert(x1 == x2 || y1 == y2);
	for (unsigned y = y1; y <= y2; y++) {
		for (unsigned x = x1; x <= x2; x++) {
			const struct canvas_cell ends = {
				.north = y > y1 ? pen : 0,
				.south = y < y2 ? pen : 0,
				.west = x > x1 ? pen : 0,
				.east = x < x2 ? pen : 0,
				.colour = (uint8_t)colour,
			};

			add_ends(c, x, y, &ends);
		}
	}
}

void canvas_wire(struct canvas *c, unsigned x1, unsigned x2, unsigned y, unsigned colour)
{
	for (unsigned x = x1; x <= x2; x++) {
		const struct canvas_cell *at = cell(c, x, y);
		const struct canvas_cell ends = { .west = x > x1 ? PEN_THIN : 0,
						  .east = x < x2 ? PEN_THIN : 0,
						  .colour = (uint8_t)colour };

		if (at && x > x1 && x < x2 && at->north == PEN_THICK && at->south == PEN_THICK)
			continue;
		add_ends(c, x, y, &ends);
	}
}

void canvas_box(struct canvas *c, unsigned x, unsigned y, unsigned width, unsigned height,
		enum canvas_pen pen, unsigned colour)
{
	canvas_line(c, x, y, x + width - 1, y, pen, colour);
	canvas_line(c, x, y + height - 1, x + width - 1, y + height - 1, pen, colour);
	canvas_line(c, x, y, x, y + height - 1, pen, colour);
	canvas_line(c, x + width - 1, y, x + width - 1, y + height - 1, pen, colour);
}

/* printing */

static const char *line_character(const struct canvas_cell *at, char ret[4])
{
	unsigned place = at->north * 27U + at->east * 9U + at->south * 3U + at->west;
	const char *from = line_characters, *start = from;

	for (unsigned i = 0; i <= place; i++) {
		start = from;
		(void)next_character(&from);
	}
	memcpy(ret, start, (size_t)(from - start));
	ret[from - start] = '\0';
	return ret;
}

static const char *line_ascii(const struct canvas_cell *at)
{
	bool vertical = at->north || at->south, horizontal = at->east || at->west;
	bool thick = MAX(at->north, at->south) == PEN_THICK;

	if (vertical && horizontal)
		return thick ? "#" : "+";
	if (vertical)
		return thick ? "#" : "|";
	if (horizontal)
		return MAX(at->east, at->west) == PEN_THICK ? "=" : "-";
	return " ";
}

static const char *text_character(uint32_t ch, char ret[5])
{
	size_t n = 0;

	if (ch < 0x80) {
		ret[n++] = (char)ch;
	} else if (ch < 0x800) {
		ret[n++] = (char)(0xc0 | ch >> 6);
	} else if (ch < 0x10000) {
		ret[n++] = (char)(0xe0 | ch >> 12);
		ret[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
	} else {
		ret[n++] = (char)(0xf0 | ch >> 18);
		ret[n++] = (char)(0x80 | (ch >> 12 & 0x3f));
		ret[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
	}
	if (ch >= 0x80)
		ret[n++] = (char)(0x80 | (ch & 0x3f));
	ret[n] = '\0';
	return ret;
}

static const char *text_ascii(uint32_t ch, char ret[5])
{
	for (size_t i = 0; i < ARRAY_SIZE(plain_words); i++)
		if (plain_words[i].character == ch)
			return plain_words[i].ascii;
	ret[0] = ch < 0x80 ? (char)ch : '?';
	ret[1] = '\0';
	return ret;
}

static bool is_blank(const struct canvas_cell *at)
{
	return at->character == ' ' ||
	       (!at->character && !at->north && !at->east && !at->south && !at->west);
}

static void print_cell(const struct canvas_cell *at, enum canvas_style style, FILE *to)
{
	bool ascii = style & CANVAS_ASCII;
	char room[5];

	if (at->character)
		(void)fputs(ascii ? text_ascii(at->character, room)
				  : text_character(at->character, room),
			    to);
	else
		(void)fputs(ascii ? line_ascii(at) : line_character(at, room), to);
}

static void print_row(const struct canvas_cell *row, unsigned columns, enum canvas_style style,
		      FILE *to)
{
	unsigned colour = INK_PLAIN;

	while (columns > 0 && is_blank(&row[columns - 1]))
		columns--;
	for (unsigned x = 0; x < columns; x++) {
		unsigned wanted = row[x].colour;

		if (style & CANVAS_COLOURED && wanted != colour && !is_blank(&row[x])) {
			unsigned n = ARRAY_SIZE(colours);

			if (wanted >= n)
				wanted = INK_FIRST + (wanted - INK_FIRST) % (n - INK_FIRST);
			(void)fprintf(to, "\033[0;%sm", colours[wanted]);
			colour = row[x].colour;
		}
		print_cell(&row[x], style, to);
	}
	(void)fputs(colour == INK_PLAIN ? "\n" : "\033[0m\n", to);
}

void canvas_print(const struct canvas *c, enum canvas_style style, FILE *to)
{
	unsigned rows = c->rows;

	while (rows > 0) {
		const struct canvas_cell *row = &c->cells[(size_t)(rows - 1) * c->columns];
		unsigned x = 0;

		while (x < c->columns && is_blank(&row[x]))
			x++;
		if (x < c->columns)
			break;
		rows--;
	}
	for (unsigned y = 0; y < rows; y++)
		print_row(&c->cells[(size_t)y * c->columns], c->columns, style, to);
}

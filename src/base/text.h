/* src/base/text.h - text from outside (names in archives, arguments) on its way to a terminal. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Makes '?' of each byte that a terminal could take for a command: control characters, those of C1
 * too (U+0080 to U+009F, where U+009B opens an escape sequence), and what is not UTF-8; and of what
 * a reader could not see: characters without width, and those that turn the direction of writing
 * (U+202E, U+2066 and their like), with which a name can look like another.
 */
void text_clean(char *text);

/* How many bytes from the first are UTF-8 (RFC 3629): len, or where what is none begins. */
size_t text_utf8_len(const char *bytes, size_t len);

/* Whether text is one of the words in "always never"; words may be NULL. */
bool text_has_word(const char *words, const char *text);

#endif

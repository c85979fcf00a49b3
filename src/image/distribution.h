/* src/image/distribution.h - which distribution is inside, if any: os-release(5) and the lists that
 * package managers keep.
 */
#ifndef IMAGE_DISTRIBUTION_H
#define IMAGE_DISTRIBUTION_H

#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct distribution {
	char *id;      /* "debian"; NULL: none */
	char *version; /* "12"; NULL: it has none (rolling) */
	char *pretty;  /* "Debian GNU/Linux 12 (bookworm)"; NULL */
};

void distribution_done(struct distribution *d);
/* The text of an os-release, hostile. */
void distribution_parse(const char *text, struct distribution *ret);
/* Of a root directory (kernel/overlay.h); nothing there is no failure. */
void distribution_read(int view, struct distribution *ret);
char *distribution_text(const struct distribution *d); /* "debian 12", "none"; the caller frees */

struct packages {
	const char *manager; /* "dpkg", "apk", "rpm"; NULL: no list was found */
	struct strv names;   /* "libc6 2.36-9"; none for rpm, whose database is not read */
};

void packages_done(struct packages *p);
/* "Package: ...", "Version: ...", "Status: ..." in paragraphs; those that are installed. */
void packages_parse_dpkg(const char *text, struct strv *ret);
/* "P:...", "V:..." in paragraphs. */
void packages_parse_apk(const char *text, struct strv *ret);
void packages_read(int view, struct packages *ret);

#endif

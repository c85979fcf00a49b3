/* src/why/load.c */
#include "why/load.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "why/nft_read.h"
#include "why/ruleset.h"
#include "why/xt_read.h"

/* files */

struct document {
	char *text;
	size_t len;
	const char *what;
};

static int read_document(struct document *d, const char *path, struct error *err)
{
	if (strcmp(path, "-") == 0) {
		d->what = "standard input";
		return file_read_fd(STDIN_FILENO, d->what, LOAD_SIZE_MAX, &d->text, &d->len, err);
	}
	d->what = path;
	return file_read_at(AT_FDCWD, path, LOAD_SIZE_MAX, &d->text, &d->len, err);
}

static bool is_xt(const struct document *d)
{
	return xt_looks_like(d->text, d->len);
}

/* What iptables-save prints where nobody has asked for a table: no rules. */
static bool is_empty(const struct document *d)
{
	return strspn(d->text, " \t\r\n") == d->len;
}

static int read_json(struct ruleset *rs, const struct document *d, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	int r;

	if (is_empty(d))
		return 0;
	r = json_load_bytes(d->text, d->len, d->what, &doc, err);
	return r < 0 ? r : nft_read(rs, doc, d->what, err);
}

static int read_xt(struct ruleset *rs, const struct document *d, struct error *err)
{
	const struct xt_said said = { .text = d->text, .len = d->len, .what = d->what };

	return xt_read(rs, &said, err);
}

int load_files(struct ruleset *ret, char *const *paths, size_t n, struct error *err)
{
	struct document *docs = xcalloc(n + 1, sizeof(*docs));
	struct ruleset rs;
	int r = 0;

	ruleset_init(&rs);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_document(&docs[i], paths[i], err);
	/* Whatever iptables-save tells again, nft has told first. */
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!is_xt(&docs[i]))
			r = read_json(&rs, &docs[i], err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_xt(&docs[i]))
			r = read_xt(&rs, &docs[i], err);
	if (r == 0)
		r = ruleset_finish(&rs, err);
	for (size_t i = 0; i < n; i++)
		free(docs[i].text);
	free(docs);
	if (r < 0)
		ruleset_done(&rs);
	else
		*ret = rs;
	return r;
}

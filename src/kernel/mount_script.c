/* src/kernel/mount_script.c - a mount as the command that a person could type.
 *
 * mount(8) takes its options apart at commas, minds quotes in them, and overlayfs its directories
 * at colons and backslashes; what escapes one does not escape the other.  So a directory with such
 * a name is shown to them by a link that has none of it, for the time of the mount.
 */
#include "kernel/mount_script.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "kernel/mount.h"
#include "kernel/overlay.h"

#define COMMAND_BYTES_MAX (512U * 4096) /* each of an overlay's layers twice */

static const char *const directories[] = { "lowerdir=", "upperdir=", "workdir=" };

static bool is_plain(const char *path)
{
	return strpbrk(path, ",:\\\"'") == NULL && path[0] == '/';
}

/* Which option of an overlay names directories: the length of its key, or 0. */
static size_t key_length(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (strncmp(option, directories[i], strlen(directories[i])) == 0)
			return strlen(directories[i]);
	return 0;
}

struct script {
	struct buf links;
	struct strv words; /* the options */
	unsigned nlinks;
};

static void add_directories(struct script *s, const char *key, size_t len, struct strv *paths)
{
	struct buf word = BUF_INIT(COMMAND_BYTES_MAX);

	buf_add(&word, key, len);
	for (size_t i = 0; i < paths->n; i++) {
		buf_add_str(&word, i ? ":" : "");
		if (is_plain(paths->items[i])) {
			buf_add_str(&word, paths->items[i]);
			continue;
		}
		buf_addf(&s->links, "ln -s %s%s %u; ",
			 paths->items[i][0] == '/' ? "" : "\"$OLDPWD\"/", sq(paths->items[i]),
			 s->nlinks);
		buf_addf(&word, "%u", s->nlinks++);
	}
	strv_take(&s->words, buf_steal(&word));
}

static void add_option(struct script *s, const char *option)
{
	size_t len = key_length(option);
	struct strv paths = { 0 };

	if (len == 0) {
		strv_add(&s->words, option);
		return;
	}
	if (strncmp(option, "lowerdir=", len) == 0)
		overlay_split(option + len, &paths);
	else
		strv_take(&paths, overlay_unescape(option + len));
	add_directories(s, option, len, &paths);
	strv_done(&paths);
}

char *mount_script(const char *type, const char *source, const struct mount_options *o,
		   const char *target)
{
	struct buf text = BUF_INIT(COMMAND_BYTES_MAX);
	struct script s = { .links = BUF_INIT(COMMAND_BYTES_MAX) };
	struct mount_options plain = *o;
	autofree char *options = NULL;

	for (size_t i = 0; i < o->data.n; i++)
		if (strcmp(type, "overlay") == 0)
			add_option(&s, o->data.items[i]);
		else
			strv_add(&s.words, o->data.items[i]);
	plain.data = s.words;
	options = mount_options_format(&plain);
	if (s.nlinks)
		buf_addf(&text,
			 "(odd=$(mktemp -d /tmp/strake.XXXXXX); trap 'rm -r $odd' EXIT; cd $odd; "
			 "%s",
			 buf_text(&s.links));
	buf_addf(&text, "mount -t %s", sq(type));
	if (options[0])
		buf_addf(&text, " -o %s", sq(options));
	buf_addf(&text, " %s", sq(source));
	buf_addf(&text, " %s%s", sq(target), s.nlinks ? ")" : "");
	buf_done(&s.links);
	strv_done(&s.words);
	return buf_steal(&text);
}

/* src/engine/volume.c */
#include "engine/volume.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"
#include "base/strv.h"
#include "engine/engine.h"

static const char *const bind_words[] = { "ro",      "rw",      "private", "rprivate", "shared",
					  "rshared", "slave",   "rslave",  "nosuid",   "suid",
					  "nodev",   "dev",     "noexec",  "exec",     "rbind",
					  "bind",    "noatime", "relatime" };

static bool is_bind_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(bind_words); i++)
		if (strcmp(bind_words[i], word) == 0)
			return true;
	return false;
}

/* z, Z (SELinux labels), cached and the like mean nothing where there is no SELinux: taken, unused.
 */
static bool is_idle_word(const char *word)
{
	static const char *const words[] = {
		"z", "Z", "cached", "delegated", "consistent", "nocopy"
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static int make_source(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return 0;
	if (explain("a volume's directory, made at first use", "mkdir -p %s", sq(path)))
		return 0;
	return dir_make_at(AT_FDCWD, path, 0755, err);
}

static int source_path(const struct engine *engine, const char *source, char **ret,
		       struct error *err)
{
	autofree char *cwd = NULL;

	if (source[0] == '/') {
		*ret = xstrdup(source);
		return 0;
	}
	if (source[0] == '.') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return error_sys(err, -errno, "find the working directory");
		*ret = xasprintf("%s/%s", cwd, source);
		return 0;
	}
	if (strchr(source, '/'))
		return error_set(err, -EINVAL,
				 "volume '%s': a volume's name has no '/' in it; for the directory "
				 "say ./%s or its whole path",
				 source, source);
	if (!name_is_valid(source))
		return error_set(
			err, -EINVAL,
			"volume '%s': neither a path (/..., ./...) nor a valid volume name",
			source);
	*ret = xasprintf("%s/volumes/%s/_data", engine->root, source);
	return 0;
}

/* As people read it in inspect: no "/./", no links.  In a dry run it may not be there. */
static void source_normalize(char **source)
{
	char *real = realpath(*source, NULL);

	if (!real)
		return;
	free(*source);
	*source = real;
}

static int options_take(const char *text, json_t *options, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *word;
	bool bound = false;

	while ((word = strsep(&rest, ","))) {
		if (is_idle_word(word))
			continue;
		if (!is_bind_word(word))
			return error_set(err, -EINVAL,
					 "unknown volume option '%s' (ro, rw, rslave, ...)", word);
		bound = bound || strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0;
		(void)json_array_append_new(options, json_string(word));
	}
	if (!bound)
		(void)json_array_append_new(options, json_string("rbind"));
	return 0;
}

/* JSON is UTF-8 and nothing else; what is not would be lost without a word.  Takes options. */
static int add_mount(json_t *mounts, const char *dest, const char *type, const char *source,
		     json_t *options, struct error *err)
{
	json_t *mount = json_object();

	(void)json_object_set_new(mount, "destination", json_string(dest));
	(void)json_object_set_new(mount, "type", json_string(type));
	(void)json_object_set_new(mount, "source", json_string(source));
	(void)json_object_set_new(mount, "options", options);
	if (json_object_size(mount) < 4) {
		json_decref(mount);
		return error_set(err, -EILSEQ, "mount '%s' is not UTF-8, which config.json needs",
				 dest);
	}
	(void)json_array_append_new(mounts, mount);
	return 0;
}

/* Said here in the user's terms; the runtime would say it of config.json. */
static int destination_check(const char *dest, struct error *err)
{
	size_t len = strlen(dest);

	if (strspn(dest, "/.") == len || strstr(dest, "/../") ||
	    (len >= 3 && strcmp(dest + len - 3, "/..") == 0))
		return error_set(err, -EINVAL, "'%s' is no place to mount something", dest);
	return 0;
}

int volume_add_mount(const struct engine *engine, const char *text, json_t *mounts,
		     struct error *err)
{
	autofree char *copy = xstrdup(text), *source = NULL;
	char *dest = strchr(copy, ':'), *words;
	json_t *options;
	int r;

	if (!dest || dest == copy || dest[1] != '/')
		return error_set(err, -EINVAL, "volume '%s': expected SOURCE:/PATH/INSIDE[:ro,...]",
				 text);
	*dest++ = '\0';
	words = strchr(dest, ':');
	if (words)
		*words++ = '\0';
	options = json_array();
	r = destination_check(dest, err);
	if (r == 0)
		r = options_take(words ? words : "rbind", options, err);
	if (r < 0)
		(void)error_wrap(err, r, "volume '%s'", text);
	if (r == 0)
		r = source_path(engine, copy, &source, err);
	if (r == 0 && source)
		r = make_source(source, err);
	if (r == 0 && source)
		source_normalize(&source);
	if (r < 0) {
		json_decref(options);
		return r;
	}
	return add_mount(mounts, dest, "bind", source, options, err);
}

int tmpfs_add_mount(const char *text, json_t *mounts, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *words = strchr(copy, ':'), *word;
	json_t *options;
	int failed = 0, r;

	if (words)
		*words++ = '\0';
	if (copy[0] != '/')
		return error_set(err, -EINVAL, "tmpfs '%s': expected /PATH/INSIDE[:size=64m,...]",
				 text);
	r = destination_check(copy, err);
	if (r < 0)
		return error_wrap(err, r, "tmpfs '%s'", text);
	options = json_pack("[s, s, s]", "nosuid", "nodev", "noexec");
	while ((word = strsep(&words, ",")))
		failed |= json_array_append_new(options, json_string(word));
	if (failed) {
		json_decref(options);
		return error_set(err, -EILSEQ, "tmpfs '%s' is not UTF-8, which config.json needs",
				 text);
	}
	return add_mount(mounts, copy, "tmpfs", "tmpfs", options, err);
}

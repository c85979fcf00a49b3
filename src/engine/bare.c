/* src/engine/bare.c */
#include "engine/bare.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/elf.h"
#include "base/file.h"

#define LIBRARIES_MAX   1024 /* of one program, all levels */
#define CONF_BYTES_MAX  (64U << 10)
#define NAMES_BYTES_MAX 300 /* libraries named in one error line */

struct search {
	struct strv dirs; /* of the system, in order */
	struct strv from, to;
	struct strv missing;
};

static void search_done(struct search *s)
{
	strv_done(&s->dirs);
	strv_done(&s->from);
	strv_done(&s->to);
	strv_done(&s->missing);
}

/* One line of ld.so.conf without comment and blanks at its ends. */
static char *conf_line(char **rest)
{
	char *line = strsep(rest, "\n");
	size_t len;

	if (!line)
		return NULL;
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t");
	for (len = strlen(line); len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'); len--)
		line[len - 1] = '\0';
	return line;
}

static void conf_part(struct search *s, const char *path)
{
	autofree char *text = NULL;
	char *rest, *line;

	if (file_read_at(AT_FDCWD, path, CONF_BYTES_MAX, &text, NULL, NULL) < 0)
		return;
	rest = text;
	while ((line = conf_line(&rest)))
		if (line[0] == '/')
			strv_add(&s->dirs, line);
}

/* Included files that include others are not followed: no distribution nests them. */
static void conf_read(struct search *s)
{
	autofree char *text = NULL;
	char *rest, *line;

	if (file_read_at(AT_FDCWD, "/etc/ld.so.conf", CONF_BYTES_MAX, &text, NULL, NULL) < 0)
		return;
	rest = text;
	while ((line = conf_line(&rest))) {
		glob_t found;

		if (line[0] == '/')
			strv_add(&s->dirs, line);
		if (strncmp(line, "include", 7) != 0 ||
		    glob(line + 7 + strspn(line + 7, " \t"), 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			conf_part(s, found.gl_pathv[i]);
		globfree(&found);
	}
}

/* A library of another machine's (lib32, a cross compiler's) in the same search path is passed
 * over, as the loader does.
 */
static char *try_file(const char *dir, const char *name, struct elf *ret)
{
	char *path = xasprintf("%s/%s", dir, name);

	if (access(path, F_OK) == 0 && elf_load_at(AT_FDCWD, path, ret, NULL) == 0) {
		if (ret->machine == elf_host_machine())
			return path;
		elf_done(ret);
	}
	free(path);
	return NULL;
}

/* "$ORIGIN/../lib:/opt/x" relative to the directory of the file that says it. */
static char *try_runpath(const char *runpath, const char *needer, const char *name, struct elf *ret)
{
	autofree char *copy = xstrdup(runpath);
	const char *slash = strrchr(needer, '/');
	int origin = slash ? (int)(slash - needer) : 0;
	char *rest = copy, *dir;

	while ((dir = strsep(&rest, ":"))) {
		autofree char *expanded = NULL;
		char *path;

		if (strncmp(dir, "$ORIGIN", 7) == 0)
			expanded = xasprintf("%.*s%s", origin, needer, dir + 7);
		else if (strncmp(dir, "${ORIGIN}", 9) == 0)
			expanded = xasprintf("%.*s%s", origin, needer, dir + 9);
		else
			expanded = xstrdup(dir);
		path = expanded[0] == '/' ? try_file(expanded, name, ret) : NULL;
		if (path)
			return path;
	}
	return NULL;
}

static char *library_find(const struct search *s, const struct elf *needer, const char *needer_path,
			  const char *name, struct elf *ret)
{
	static const char *const defaults[] = { "/lib64", "/usr/lib64", "/lib", "/usr/lib" };
	const char *runpath = needer->runpath ? needer->runpath : needer->rpath;
	char *path = runpath ? try_runpath(runpath, needer_path, name, ret) : NULL;

	for (size_t i = 0; !path && i < s->dirs.n; i++)
		path = try_file(s->dirs.items[i], name, ret);
	for (size_t i = 0; !path && i < ARRAY_SIZE(defaults); i++)
		path = try_file(defaults[i], name, ret);
	return path;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool already(const struct search *s, const char *inside)
{
	return strv_has(&s->to, inside) || strv_has(&s->missing, inside);
}

/* Breadth first over a worklist: the files found so far are the list. */
static void libraries_add(struct search *s, const struct elf *needer, const char *needer_path)
{
	for (size_t i = 0; i < needer->needed.n && s->to.n < LIBRARIES_MAX; i++) {
		const char *name = needer->needed.items[i];
		autofree char *inside = xasprintf("/lib/%s", name);
		struct elf elf = { 0 };
		char *path;

		if (strchr(name, '/') || already(s, inside))
			continue;
		path = library_find(s, needer, needer_path, name, &elf);
		if (!path) {
			strv_add(&s->missing, inside);
			continue;
		}
		strv_take(&s->from, path);
		strv_add(&s->to, inside);
		elf_done(&elf);
	}
}

static void libraries_find(struct search *s, const struct elf *program, const char *path)
{
	conf_read(s);
	libraries_add(s, program, path);
	for (size_t i = 0; i < s->from.n; i++) {
		autofree char *from = xstrdup(s->from.items[i]);
		struct elf elf = { 0 };

		if (elf_load_at(AT_FDCWD, from, &elf, NULL) < 0)
			continue;
		libraries_add(s, &elf, from);
		elf_done(&elf);
	}
}

/* libc names the loader as a library, too: it is said once. */
static void names_add(struct buf *text, const struct strv *names, const char *loader)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(name_of(names->items[i]), name_of(loader)) != 0)
			buf_addf(text, "%s%s", text->len ? ", " : "", name_of(names->items[i]));
}

static int refuse_dynamic(const char *file, const struct elf *elf, const struct search *s,
			  struct error *err)
{
	struct buf names = BUF_INIT(NAMES_BYTES_MAX);
	int r;

	names_add(&names, &s->to, elf->interp);
	names_add(&names, &s->missing, elf->interp);
	r = error_set(err, -ENOEXEC,
		      "%s is dynamic: an empty root lacks its loader %s and libraries %s; add "
		      "--with-libs to bring them, or link it with -static",
		      file, elf->interp ? elf->interp : "(none)", buf_text(&names));
	buf_done(&names);
	return r;
}

static int take_libraries(const char *file, bool with_libs, const struct elf *elf,
			  struct bare *bare, struct error *err)
{
	struct search s = { 0 };
	int r = 0;

	libraries_find(&s, elf, bare->host_path);
	if (!with_libs) {
		r = refuse_dynamic(file, elf, &s, err);
	} else if (s.missing.n > 0) {
		r = error_set(err, -ENOENT, "%s needs %s, which is nowhere on this host", file,
			      s.missing.items[0] + strlen("/lib/"));
	} else if (access(elf->interp, F_OK) < 0) {
		r = error_sys(err, -errno, "%s needs the loader %s", file, elf->interp);
	} else {
		strv_add(&bare->from, elf->interp);
		strv_add(&bare->to, elf->interp);
		for (size_t i = 0; i < s.from.n; i++) {
			/* libc names the loader as a library; it is there under its own name. */
			if (strcmp(name_of(s.to.items[i]), name_of(elf->interp)) == 0)
				continue;
			strv_add(&bare->from, s.from.items[i]);
			strv_add(&bare->to, s.to.items[i]);
		}
	}
	search_done(&s);
	return r;
}

static int refuse_script(const char *file, struct error *err)
{
	autoclose int fd = open(file, O_RDONLY | O_CLOEXEC);
	char line[128] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (n < 2 || line[0] != '#' || line[1] != '!')
		return -ENOEXEC; /* the text of elf_load_at() is right */
	line[strcspn(line, "\n")] = '\0';
	return error_set(
		err, -ENOEXEC,
		"%s is a script for %s, which an empty root lacks; run it with --rootfs or an image",
		file, line + 2 + strspn(line + 2, " \t"));
}

static int check_file(const char *file, const char *path, struct elf *elf, struct error *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return error_sys(err, -errno, "%s", file);
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "%s is a directory; --rootfs runs one", file);
	if (!(st.st_mode & 0111))
		return error_set(err, -EACCES, "%s is not executable; chmod +x makes it so", file);
	r = elf_load_at(AT_FDCWD, path, elf, err);
	if (r == -ENOEXEC)
		return refuse_script(path, err);
	if (r < 0)
		return r;
	if (elf->machine != elf_host_machine())
		return error_set(err, -ENOEXEC, "%s is built for %s, this host runs %s", file,
				 elf_machine_name(elf->machine),
				 elf_machine_name(elf_host_machine()));
	return 0;
}

int bare_plan(const char *file, bool with_libs, struct bare *ret, struct error *err)
{
	struct bare bare = { .host_path = realpath(file, NULL) };
	struct elf elf = { 0 };
	const char *name = strrchr(file, '/');
	int r;

	if (!bare.host_path)
		return error_sys(err, -errno, "%s", file);
	bare.inside = xasprintf("/%s", name ? name + 1 : file);
	r = check_file(file, bare.host_path, &elf, err);
	if (r == 0 && elf.interp)
		r = take_libraries(file, with_libs, &elf, &bare, err);
	elf_done(&elf);
	if (r < 0) {
		if (err)
			err->status = r == -ENOENT ? 127 : 126;
		bare_done(&bare);
		return r;
	}
	*ret = bare;
	return 0;
}

void bare_done(struct bare *bare)
{
	free(bare->host_path);
	free(bare->inside);
	strv_done(&bare->from);
	strv_done(&bare->to);
	*bare = (struct bare) { 0 };
}

/* src/cmd/why_open.c */
#include "cmd/why_open.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cmd/globals_engine.h"
#include "engine/network_view.h"
#include "why/draw.h"

static int find_container(const void *globals, const struct cmd *cmd, const char *container,
			  char **ret_path, struct error *err)
{
	struct engine *engine = NULL;
	pid_t pid;
	int r = globals_open(globals, cmd, &engine, err);

	if (r < 0)
		return r;
	r = network_view_find(engine, container, ret_path, &pid, err);
	engine_close(engine);
	return r;
}

int why_open_netns(const void *globals, const struct cmd *cmd, const char *container,
		   const char *netns, int *ret_fd, struct error *err)
{
	autofree char *path = NULL;
	int r = 0;

	if (container && netns)
		return error_set(err, -EINVAL, "--container and --netns exclude each other");
	if (!container && !netns) {
		*ret_fd = -1;
		return 0;
	}
	if (container)
		r = find_container(globals, cmd, container, &path, err);
	else
		path = strchr(netns, '/') ? xstrdup(netns) : xasprintf("/run/netns/%s", netns);
	if (r < 0)
		return r;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? error_sys(err, -errno, "open the network namespace %s", path) : 0;
}

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && strcmp(name + len - n, ending) == 0;
}

static bool locale_is_utf8(void)
{
	return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int why_draw_check(const char *file, struct error *err)
{
	if (!ends_in(file, ".svg") && !ends_in(file, ".txt") && strcmp(file, "-") != 0)
		return error_set(err, -EINVAL, "--draw %s: only .svg and .txt can be drawn, or -",
				 file);
	return 0;
}

int why_draw(const char *file, const struct picture *pictures, size_t n, struct error *err)
{
	bool out = strcmp(file, "-") == 0;
	autofree char *text = NULL;
	size_t len = 0;
	FILE *to;
	int r = why_draw_check(file, err);

	if (r < 0)
		return r;
	to = open_memstream(&text, &len);
	if (!to)
		return error_sys(err, -errno, "draw in memory");
	if (ends_in(file, ".svg"))
		draw_svg(pictures, n, to);
	else
		draw_text(pictures, n, out && !locale_is_utf8(), to);
	(void)fclose(to);
	if (!out)
		return file_write_named(file, text, len, 0644, err);
	(void)fwrite(text, 1, len, stdout);
	return 0;
}

/* src/engine/config.c */
#include "engine/config.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/root.h"
#include "engine/root_view.h"
#include "engine/volume.h"

#define DEFAULT_PATH	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ENV_BYTES_MAX	(4U << 20)
#define CPU_PERIOD_US	100000
#define CPU_NANO_DIGITS 9

int config_command(const struct container_options *options, const struct root *root,
		   struct strv *ret, struct error *err)
{
	const struct image *image = root->image;
	bool own_entrypoint = options->entrypoint != NULL;

	if (root->kind == ROOT_BARE)
		strv_add(ret, root->bare.inside);
	if (own_entrypoint && options->entrypoint[0])
		strv_add(ret, options->entrypoint);
	if (!own_entrypoint && image)
		strv_extend(ret, image->config.entrypoint.items, image->config.entrypoint.n);
	if (options->ncommand > 0)
		strv_extend(ret, options->command, options->ncommand);
	else if (!own_entrypoint && image)
		strv_extend(ret, image->config.cmd.items, image->config.cmd.n);
	if (ret->n == 0)
		return error_set(err, -EINVAL, "%s names no command; say what to run behind it",
				 root->source);
	return 0;
}

static int env_add_file(struct strv *env, const char *path, struct error *err)
{
	autofree char *text = NULL;
	char *rest, *line;
	int r = file_read_at(AT_FDCWD, path, ENV_BYTES_MAX, &text, NULL, err);

	if (r < 0)
		return error_wrap(err, r, "--env-file");
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		if (*line && *line != '#' && strchr(line, '='))
			strv_env_set(env, line);
	}
	return 0;
}

static int env_add(struct strv *env, const char *text, struct error *err)
{
	autofree char *copied = NULL;
	const char *ours;

	if (text[0] == '=' || !text[0])
		return error_set(err, -EINVAL, "--env '%s': a variable needs a name", text);
	if (strchr(text, '=')) {
		strv_env_set(env, text);
		return 0;
	}
	ours = getenv(text);
	if (!ours)
		return 0;
	copied = xasprintf("%s=%s", text, ours);
	strv_env_set(env, copied);
	return 0;
}

int config_env(struct strv *env, const struct strv *assignments, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < assignments->n; i++)
		r = env_add(env, assignments->items[i], err);
	return r;
}

static int build_env(const struct config_request *req, const char *home, const char *hostname,
		     struct strv *env, struct error *err)
{
	const struct container_options *o = req->options;
	const struct image *image = req->root->image;
	int r = 0;

	strv_add(env, DEFAULT_PATH);
	strv_addf(env, "HOSTNAME=%s", hostname);
	if (o->tty)
		strv_add(env, "TERM=xterm");
	for (size_t i = 0; image && i < image->config.env.n; i++)
		strv_env_set(env, image->config.env.items[i]);
	for (size_t i = 0; r == 0 && i < o->env_file.n; i++)
		r = env_add_file(env, o->env_file.items[i], err);
	if (r == 0)
		r = config_env(env, &o->env, err);
	if (r == 0 && !strv_env_get(env, "HOME"))
		strv_addf(env, "HOME=%s", home);
	return r;
}

/* src/cmd/why_open.c */
#include "cmd/why_open.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/globals_engine.h"
#include "engine/network_view.h"

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

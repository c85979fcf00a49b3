/* src/engine/container_files.c */
#include "engine/container_files.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"
#include "kernel/overlay.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

void container_files_done(struct container_files *f)
{
	free(f->upper);
	strv_done(&f->lower);
	strv_done(&f->mount_points);
	*f = (struct container_files) { .upper = NULL };
}

static void read_overlay(const json_t *options, struct container_files *f)
{
	static const char lower[] = "lowerdir=", upper[] = "upperdir=";
	const json_t *option;
	size_t i;

	json_array_foreach (options, i, option) {
		const char *text = json_string_value(option);

		if (text && strncmp(text, lower, strlen(lower)) == 0)
			overlay_split(text + strlen(lower), &f->lower);
		else if (text && strncmp(text, upper, strlen(upper)) == 0)
			f->upper = overlay_unescape(text + strlen(upper));
	}
}

static void read_mounts(const json_t *mounts, struct container_files *f)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		const char *to = json_string_value(json_object_get(mount, "destination"));
		size_t skip = to ? strspn(to, "/") : 0;

		if (to && to[skip])
			strv_add(&f->mount_points, to + skip);
		else if (to)
			read_overlay(json_object_get(mount, "options"), f);
	}
}

int container_files_load(const struct engine *engine, const struct container *c,
			 struct container_files *ret, struct error *err)
{
	autofree char *path = xasprintf("containers/%s/config.json", c->id);
	struct container_files f = { .upper = NULL };
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = json_load_at(engine->root_fd, path, &doc, err);

	if (r < 0)
		return r;
	read_mounts(json_object_get(doc, "mounts"), &f);
	if (!f.upper) {
		container_files_done(&f);
		return error_set(
			err, -EOPNOTSUPP,
			"container %s has no layers: its root is memory, out of single files",
			c->name);
	}
	*ret = f;
	return 0;
}

/* holding */

static _Noreturn void let_go_later(const struct spec *spec, const char *id, int from)
{
	char byte;

	/* Ends when the last copy of the other end is closed, whatever became of its owner. */
	(void)setsid();
	(void)TEMP_FAILURE_RETRY(read(from, &byte, 1));
	_exit(instance_freeze(spec, id, false, NULL) < 0);
}

int container_hold(const struct engine *engine, const struct container *c,
		   struct container_hold *ret, struct error *err)
{
	autofree char *dir = container_dir(engine, c->id);
	cleanup(spec_cleanup) struct spec *spec = NULL;
	autoclose int from = -1, until = -1;
	struct status status;
	int ends[2], r;
	pid_t child;

	*ret = (struct container_hold) { .until = -1 };
	r = status_read(engine, c->id, &status, err);
	if (r < 0 || status.kind != STATUS_RUNNING)
		return r;
	r = spec_load(dir, &spec, err);
	if (r < 0 || instance_is_frozen(spec, c->id))
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	from = ends[0];
	until = ends[1];
	/* The one who lets it go is there before it is held. */
	child = fork();
	if (child < 0)
		return error_sys(err, -errno, "start a process");
	if (child == 0) {
		(void)close(until);
		let_go_later(spec, c->id, from);
	}
	*ret = (struct container_hold) { .until = steal_fd(&until), .child = child };
	r = instance_freeze(spec, c->id, true, err);
	if (r == 0)
		return 0;
	container_release(ret);
	/* One that ended meanwhile changes nothing any more. */
	if (status_read(engine, c->id, &status, NULL) < 0 || status.kind == STATUS_RUNNING)
		return r;
	if (err)
		*err = (struct error) { 0 };
	return 0;
}

void container_release(struct container_hold *hold)
{
	if (hold->until < 0)
		return;
	(void)close(steal_fd(&hold->until));
	(void)TEMP_FAILURE_RETRY(waitpid(hold->child, NULL, 0));
}

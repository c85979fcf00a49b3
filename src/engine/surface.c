/* src/engine/surface.c */
#include "engine/surface.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/making.h"
#include "engine/options.h"
#include "engine/status.h"
#include "image/image.h"
#include "kernel/overlay.h"

#define SOCKETS_BYTES_MAX (8U << 20)
#define STATE_LISTEN      0x0a
#define STATE_UDP_BOUND   0x07

void surface_done(struct surface *s)
{
	survey_done(&s->survey);
	strv_done(&s->listening);
	strv_done(&s->capabilities);
	free(s->user);
}

/* sockets */

/* The kernel prints each 32-bit word of an address as a number of this machine. */
static bool parse_address(const char *hex, bool six, char ret[INET6_ADDRSTRLEN])
{
	uint32_t words[4] = { 0 };
	unsigned n = six ? 4 : 1;

	for (unsigned i = 0; i < n; i++)
		if (sscanf(hex + (size_t)i * 8, "%8x", &words[i]) != 1)
			return false;
	return inet_ntop(six ? AF_INET6 : AF_INET, words, ret, INET6_ADDRSTRLEN);
}

static void parse_line(const char *line, const char *protocol, struct strv *ret)
{
	bool six = strchr(protocol, '6'), udp = protocol[0] == 'u';
	char hex[33] = "", address[INET6_ADDRSTRLEN];
	unsigned port, state;

	if (sscanf(line, " %*u: %32[0-9A-F]:%4x %*32[0-9A-F]:%*4x %2x", hex, &port, &state) != 3 ||
	    strlen(hex) != (six ? 32 : 8) || state != (udp ? STATE_UDP_BOUND : STATE_LISTEN) ||
	    !parse_address(hex, six, address))
		return;
	strv_addf(ret, six ? "%.3s [%s]:%u" : "%.3s %s:%u", protocol, address, port);
}

void sockets_parse(const char *text, const char *protocol, struct strv *ret)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		autofree char *line = xstrndup(text, len);

		parse_line(line, protocol, ret);
		text += len + (text[len] == '\n');
	}
}

static void read_sockets(pid_t pid, struct strv *ret)
{
	static const char *const protocols[] = { "tcp", "tcp6", "udp", "udp6" };

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		autofree char *path = xasprintf("/proc/%d/net/%s", pid, protocols[i]);
		autofree char *text = NULL;

		if (file_read_at(AT_FDCWD, path, SOCKETS_BYTES_MAX, &text, NULL, NULL) == 0)
			sockets_parse(text, protocols[i], ret);
	}
}

/* config.json */

static void read_config(const json_t *config, struct surface *s)
{
	const json_t *process = json_object_get(config, "process"), *item;
	const json_t *user = json_object_get(process, "user");
	const json_t *caps = json_object_get(json_object_get(process, "capabilities"), "bounding");
	size_t i;

	json_array_foreach (caps, i, item)
		if (json_is_string(item))
			strv_add(&s->capabilities, json_string_value(item));
	s->user =
		xasprintf("%lld:%lld", (long long)json_integer_value(json_object_get(user, "uid")),
			  (long long)json_integer_value(json_object_get(user, "gid")));
	s->no_new_privileges = json_is_true(json_object_get(process, "noNewPrivileges"));
	s->filtered = json_object_get(json_object_get(config, "linux"), "seccomp") != NULL;
	s->read_only = json_is_true(json_object_get(json_object_get(config, "root"), "readonly"));
}

/* The stack that the first mount of config.json names: its own layer, then what lies below. */
static int stack_of(const json_t *config, struct strv *ret)
{
	const json_t *mount = json_array_get(json_object_get(config, "mounts"), 0), *option;
	const json_t *options = json_object_get(mount, "options");
	struct strv lower = { 0 };
	size_t i;

	json_array_foreach (options, i, option) {
		const char *text = json_string_value(option);

		if (text && strncmp(text, "upperdir=", 9) == 0)
			strv_take(ret, overlay_unescape(text + 9));
		if (text && strncmp(text, "lowerdir=", 9) == 0)
			overlay_split(text + 9, &lower);
	}
	strv_extend(ret, lower.items, lower.n);
	strv_done(&lower);
	return ret->n ? 0 : -ENOENT;
}

static int open_stopped(const json_t *config, const char *name, int *ret, struct error *err)
{
	struct strv layers = { 0 };
	int r = stack_of(config, &layers);

	if (r < 0)
		(void)error_set(err, r,
				"container %s ran one file, which is all that it had; start it to "
				"look at it",
				name);
	else
		r = overlay_view(&layers, name, ret, err);
	strv_done(&layers);
	return r;
}

static int open_running(pid_t pid, int *ret, struct error *err)
{
	autofree char *path = xasprintf("/proc/%d/root", pid);

	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? error_sys(err, -errno, "open %s", path) : 0;
}

int surface_of_container(struct engine *engine, const struct container *c, struct surface *ret,
			 struct error *err)
{
	autofree char *path = xasprintf("containers/%s/config.json", c->id);
	cleanup(json_cleanup) json_t *config = NULL;
	struct surface s = { .user = NULL };
	struct status status = { .pid = 0 };
	autoclose int view = -1;
	int r = json_load_at(engine->root_fd, path, &config, err);

	if (r == 0)
		r = status_read(engine, c->id, &status, err);
	s.running = status.kind == STATUS_RUNNING;
	if (r == 0)
		r = s.running ? open_running(status.pid, &view, err)
			      : open_stopped(config, c->name, &view, err);
	if (r == 0)
		r = survey_read(view, &s.survey, err);
	if (r < 0)
		return r;
	read_config(config, &s);
	if (s.running)
		read_sockets(status.pid, &s.listening);
	*ret = s;
	return 0;
}

int surface_of_image(struct engine *engine, const struct image *image, struct surface *ret,
		     struct error *err)
{
	char *const command[] = { (char *)"/", NULL };
	const struct container_options plain = {
		.image = image->id,
		.command = command,
		.ncommand = 1,
	};
	cleanup(json_cleanup) json_t *config = NULL;
	struct surface s = { .user = NULL };
	struct strv lower = { 0 };
	autoclose int view = -1;
	int r = making_print(engine, &plain, &config, err);

	image_lower_dirs(engine->root, image, &lower);
	if (r == 0)
		r = overlay_view(&lower, "the image", &view, err);
	if (r < 0)
		image_name_lost(engine->root, image, NULL, err);
	if (r == 0)
		r = survey_read(view, &s.survey, err);
	strv_done(&lower);
	if (r < 0)
		return r;
	read_config(config, &s);
	*ret = s;
	return 0;
}

/* src/cni/cni.c */
#include "cni/cni.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "cni/plugin.h"
#include "cni/result.h"
#include "engine/engine.h"
#include "network/cni_record.h"

static int say(FILE *out, const json_t *doc)
{
	if (json_dumpf(doc, out, JSON_INDENT(4)) < 0 || fputc('\n', out) == EOF || fflush(out) != 0)
		return -EIO;
	return 0;
}

static int fail(FILE *out, const struct plugin *p)
{
	json_t *doc = cni_result_failure(p->config.version, &p->f);

	ignore_result(say(out, doc));
	json_decref(doc);
	return 1;
}

/* CHECK came with 0.4.0; GC and STATUS with 1.1.0. */
static int check_version(struct plugin *p)
{
	enum cni_command command = p->request.command;
	enum cni_version least = command == CNI_GC || command == CNI_STATUS ? CNI_1_1_0
				 : command == CNI_CHECK                     ? CNI_0_4_0
									    : CNI_0_3_0;

	if (p->config.version >= least)
		return 0;
	return cni_fail(&p->f, CNI_VERSION, -EPROTONOSUPPORT,
			"cniVersion %s has no such command; it came with %s",
			cni_version_name(p->config.version), cni_version_name(least));
}

static int run(struct plugin *p)
{
	int r = check_version(p);

	if (r == 0)
		r = plugin_open(p);
	if (r < 0)
		return r;
	switch (p->request.command) {
	case CNI_ADD:
		return plugin_add(p);
	case CNI_DEL:
		return plugin_del(p);
	case CNI_CHECK:
		return plugin_check(p);
	case CNI_GC:
		return plugin_gc(p);
	case CNI_STATUS:
		return plugin_status(p);
	case CNI_VERSIONS:
		break;
	}
	return 0;
}

/* The caller's version if it is one of ours: the rest of its configuration does not matter. */
static enum cni_version version_asked(const char *text, size_t len)
{
	json_t *doc = NULL;
	enum cni_version version = CNI_VERSION_COUNT;

	if (json_load_bytes(text, len, "", &doc, NULL) == 0) {
		const char *name = json_string_value(json_object_get(doc, "cniVersion"));

		version = name ? cni_version_find(name) : CNI_VERSION_COUNT;
		json_decref(doc);
	}
	return version == CNI_VERSION_COUNT ? CNI_1_1_0 : version;
}

static int prepare(struct plugin *p, const char *(*get)(const char *), int in)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = cni_request_read(get, &p->request, &p->f);

	if (r < 0)
		return r;
	r = file_read_fd(in, "standard input", CNI_CONFIG_MAX, &text, &len, &p->f.err);
	if (r < 0) {
		p->f.code = r == -EFBIG ? CNI_DECODE : CNI_IO;
		return r;
	}
	p->config.version = version_asked(text, len);
	if (p->request.command == CNI_VERSIONS) {
		p->answer = cni_result_versions(p->config.version);
		return 0;
	}
	return cni_config_parse(text, len, &p->config, &p->f);
}

/* An attachment whose result nobody could read is none. */
static int finish(struct plugin *p, FILE *out)
{
	char lease[ID_LEN + 1];

	if (!p->answer || say(out, p->answer) == 0)
		return 0;
	if (p->request.command == CNI_ADD &&
	    cni_record_find(p->site.db, p->config.name, p->request.container, p->request.ifname,
			    lease, NULL) == 0)
		ignore_result(plugin_undo(p, lease, p->request.netns));
	return 1;
}

int cni_main(const char *(*get)(const char *name), int in, FILE *out)
{
	struct plugin p = { .config.version = CNI_1_1_0 };
	int r = prepare(&p, get, in), status;

	if (r == 0 && p.request.command != CNI_VERSIONS)
		r = run(&p);
	status = r < 0 ? fail(out, &p) : finish(&p, out);
	json_decref(p.answer);
	engine_close(p.engine);
	cni_config_done(&p.config);
	return status;
}

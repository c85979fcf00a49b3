/* src/runtime/spec_process.c - the "process" object, of config.json and of exec --process. */
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/json.h"
#include "runtime/spec.h"
#include "runtime/spec_read.h"

#define GROUPS_MAX NGROUPS_MAX

static const struct {
	const char *name;
	int resource;
} rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

static int rlimit_parse(struct json_reader *rd, const json_t *obj)
{
	const char *type = json_need_string(rd, obj, "type");

	for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++)
		if (strcmp(rlimit_names[i].name, type) == 0)
			return rlimit_names[i].resource;
	json_fail(rd, "type", "'%s' is not a resource limit", type);
	return 0;
}

/* JSON integers are signed here; a document may say 18446744073709551615 or -1 for no limit. */
static uint64_t rlimit_value(struct json_reader *rd, const json_t *obj, const char *key)
{
	const json_t *value = json_object_get(obj, key);
	int64_t n;

	if (json_is_real(value) && json_real_value(value) >= 9.2e18)
		return UINT64_MAX;
	n = json_read_int(rd, obj, key, -1, INT64_MAX, 0);
	return n < 0 || n == INT64_MAX ? UINT64_MAX : (uint64_t)n;
}

static void read_rlimits(struct json_reader *rd, const json_t *obj, struct spec_process *p)
{
	const json_t *list = json_read_array(rd, obj, "rlimits"), *item;
	struct json_place outer = json_enter(rd, "rlimits");
	size_t i;

	if (json_array_size(list) > ARRAY_SIZE(rlimit_names))
		json_fail(rd, NULL, "more entries than there are resource limits");
	else if (json_array_size(list) > 0)
		p->rlimits = xcalloc(json_array_size(list), sizeof(*p->rlimits));
	for (i = 0; p->rlimits && i < json_array_size(list); i++) {
		struct json_place place = json_enter_index(rd, i);

		item = json_array_get(list, i);
		p->rlimits[p->nrlimits++] = (struct spec_rlimit) {
			.resource = rlimit_parse(rd, item),
			.soft = rlimit_value(rd, item, "soft"),
			.hard = rlimit_value(rd, item, "hard"),
		};
		json_leave(rd, place);
	}
	json_leave(rd, outer);
}

/* A capability that this kernel does not know is dropped with the rest: newer tools name newer
 * ones. */
static uint64_t read_set(struct json_reader *rd, const json_t *obj, const char *key)
{
	struct strv names = { 0 };
	uint64_t set = 0;

	json_read_strings(rd, obj, key, &names);
	for (size_t i = 0; i < names.n; i++) {
		int cap = capability_parse(names.items[i]);

		if (cap < 0)
			json_fail(rd, key, "'%s' is not a capability", names.items[i]);
		else
			set |= 1ULL << cap;
	}
	strv_done(&names);
	return set;
}

static void read_capabilities(struct json_reader *rd, const json_t *obj, struct spec_process *p)
{
	const json_t *sets = json_read_object(rd, obj, "capabilities");
	struct json_place place = json_enter(rd, "capabilities");

	p->has_capabilities = sets != NULL;
	p->capabilities.bounding = read_set(rd, sets, "bounding");
	p->capabilities.effective = read_set(rd, sets, "effective");
	p->capabilities.permitted = read_set(rd, sets, "permitted");
	p->capabilities.inheritable = read_set(rd, sets, "inheritable");
	p->capabilities.ambient = read_set(rd, sets, "ambient");
	json_leave(rd, place);
}

static void read_user(struct json_reader *rd, const json_t *obj, struct spec_process *p)
{
	const json_t *user = json_read_object(rd, obj, "user"), *groups, *group;
	struct json_place place = json_enter(rd, "user");
	int64_t mask;
	size_t i;

	p->uid = (uid_t)json_read_int(rd, user, "uid", 0, UINT32_MAX - 1, 0);
	p->gid = (gid_t)json_read_int(rd, user, "gid", 0, UINT32_MAX - 1, 0);
	mask = json_read_int(rd, user, "umask", 0, 0777, -1);
	p->has_umask = mask >= 0;
	p->umask = mask >= 0 ? (mode_t)mask : 022;
	groups = json_read_array(rd, user, "additionalGids");
	if (json_array_size(groups) > GROUPS_MAX) {
		json_fail(rd, "additionalGids", "more than %d groups", GROUPS_MAX);
	} else if (json_array_size(groups) > 0) {
		p->groups = xcalloc(json_array_size(groups), sizeof(*p->groups));
		json_array_foreach (groups, i, group) {
			json_int_t gid = json_integer_value(group);

			if (!json_is_integer(group) || gid < 0 || gid >= UINT32_MAX)
				json_fail(rd, "additionalGids", "expected group numbers");
			p->groups[p->ngroups++] = (gid_t)gid;
		}
	}
	json_leave(rd, place);
}

static void read_env(struct json_reader *rd, const json_t *obj, struct spec_process *p)
{
	json_read_strings(rd, obj, "env", &p->env);
	for (size_t i = 0; i < p->env.n; i++)
		if (!strchr(p->env.items[i], '=') || p->env.items[i][0] == '=')
			json_fail(rd, "env", "'%s' is not NAME=VALUE", p->env.items[i]);
}

/* A profile that is not applied is a fence that is not there. */
static void refuse_label(struct json_reader *rd, const json_t *obj, const char *key)
{
	if (json_read_string(rd, obj, key, "")[0])
		json_fail(rd, key, "is not supported; leave it out");
}

struct spec_process *spec_read_process(struct json_reader *rd, const json_t *obj)
{
	struct spec_process *p = xnew(struct spec_process);
	const json_t *size = json_read_object(rd, obj, "consoleSize");

	p->terminal = json_read_bool(rd, obj, "terminal", false);
	p->console_height = (unsigned)json_read_int(rd, size, "height", 0, UINT16_MAX, 0);
	p->console_width = (unsigned)json_read_int(rd, size, "width", 0, UINT16_MAX, 0);
	read_user(rd, obj, p);
	json_read_strings(rd, obj, "args", &p->args);
	if (p->args.n == 0)
		json_fail(rd, "args", "is missing or empty");
	read_env(rd, obj, p);
	p->cwd = xstrdup(json_need_string(rd, obj, "cwd"));
	if (p->cwd[0] != '/')
		json_fail(rd, "cwd", "'%s' does not start with /", p->cwd);
	read_capabilities(rd, obj, p);
	read_rlimits(rd, obj, p);
	refuse_label(rd, obj, "apparmorProfile");
	refuse_label(rd, obj, "selinuxLabel");
	p->no_new_privileges = json_read_bool(rd, obj, "noNewPrivileges", false);
	p->has_oom_score_adj = json_object_get(obj, "oomScoreAdj") != NULL;
	p->oom_score_adj = (int)json_read_int(rd, obj, "oomScoreAdj", -1000, 1000, 0);
	return p;
}

int spec_process_from_json(const json_t *doc, struct spec_process **ret, struct error *err)
{
	struct json_reader rd;
	struct spec_process *p;

	json_reader_init(&rd, "process", err);
	p = spec_read_process(&rd, doc);
	if (rd.r < 0) {
		spec_process_free(p);
		return rd.r;
	}
	*ret = p;
	return 0;
}

void spec_process_free(struct spec_process *p)
{
	if (!p)
		return;
	free(p->groups);
	strv_done(&p->args);
	strv_done(&p->env);
	free(p->cwd);
	free(p->rlimits);
	free(p);
}

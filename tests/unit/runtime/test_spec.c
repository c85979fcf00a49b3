/* tests/unit/runtime/test_spec.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/json.h"
#include "runtime/default_spec.h"
#include "runtime/spec.h"

/* A document with the smallest process, root and linux part, and MORE members. */
#define DOC(process, linux, more)                                                                  \
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"                                \
	"\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]" process "},"                                \
	"\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]" linux "}" more "}"

static int parse(const char *text, struct spec **ret, struct error *err)
{
	return spec_parse(text, strlen(text), "/bundle", ret, err);
}

static void what_must_be_there_is_enough(void **state)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;
	const char *path = "x";

	(void)state;
	assert_int_equal(parse(DOC("", "", ""), &spec, NULL), 0);
	assert_string_equal(spec->root, "/bundle/rootfs");
	assert_string_equal(spec->process->args.items[0], "sh");
	assert_int_equal(spec->process->uid, 0);
	assert_true(spec_namespace_find(spec, CLONE_NEWNS, &path));
	assert_null(path);
	assert_true(spec_has_new(spec, CLONE_NEWNS));
	assert_false(spec_has_new(spec, CLONE_NEWPID));
}

static void the_process_is_read(void **state)
{
	static const char text[] = DOC(
		",\"user\":{\"uid\":7,\"gid\":8,\"umask\":63,\"additionalGids\":[9,10]},"
		"\"env\":[\"A=1\"],\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},"
		"\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],\"ambient\":[]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":18446744073709551615,"
		"\"hard\":-1},{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":2}],"
		"\"noNewPrivileges\":true,\"oomScoreAdj\":-5",
		"", "");
	cleanup(spec_cleanup) struct spec *spec = NULL;
	const struct spec_process *p;

	(void)state;
	assert_int_equal(parse(text, &spec, NULL), 0);
	p = spec->process;
	assert_int_equal(p->uid, 7);
	assert_int_equal(p->gid, 8);
	assert_true(p->has_umask);
	assert_int_equal(p->umask, 077);
	assert_int_equal(p->ngroups, 2);
	assert_int_equal(p->groups[1], 10);
	assert_true(p->terminal && p->no_new_privileges && p->has_oom_score_adj);
	assert_int_equal(p->console_width, 80);
	assert_int_equal(p->capabilities.bounding, 1);
	assert_int_equal(p->nrlimits, 2);
	assert_true(p->rlimits[0].soft == RLIM_INFINITY && p->rlimits[0].hard == RLIM_INFINITY);
	assert_int_equal(p->rlimits[1].hard, 2);
	assert_int_equal(p->oom_score_adj, -5);
}

static void the_rest_is_read(void **state)
{
	static const char text[] = DOC(
		"",
		",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":5}],"
		"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"b\",\"major\":8,\"minor\":1,"
		"\"fileMode\":384}],\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},"
		"\"rootfsPropagation\":\"rslave\",\"cgroupsPath\":\"/a/b\","
		"\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],"
		"\"resources\":{\"memory\":{\"limit\":1024,\"swap\":0},\"cpu\":{\"shares\":5,"
		"\"cpus\":\"0-1\"},\"pids\":{\"limit\":-1},\"devices\":[{\"allow\":true,"
		"\"type\":\"c\",\"major\":1,\"access\":\"rw\"}],\"unified\":{\"memory.high\":\"1\"},"
		"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4}],\"blockIO\":{\"weight\":10,"
		"\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":99}]}}",
		",\"mounts\":[{\"destination\":\"proc\",\"type\":\"proc\"},{\"destination\":\"/b\","
		"\"source\":\"here\",\"options\":[\"rbind\",\"ro\"]}],\"annotations\":{\"a\":\"b\"},"
		"\"hooks\":{\"poststop\":[{\"path\":\"/bin/true\",\"timeout\":3}]}");
	cleanup(spec_cleanup) struct spec *spec = NULL;

	(void)state;
	assert_int_equal(parse(text, &spec, NULL), 0);
	assert_int_equal(spec->uid_maps[0].outside, 1000);
	assert_int_equal(spec->devices[0].mode, S_IFBLK | 0600);
	assert_string_equal(spec->sysctls.items[0], "net.ipv4.ip_forward=1");
	assert_int_equal(spec->root_propagation, MS_SLAVE);
	assert_true(spec->root_propagation_recursive);
	assert_string_equal(spec->cgroups_path, "/a/b");
	assert_true(spec->limits.has_memory && !spec->limits.has_swap && spec->limits.has_pids);
	assert_int_equal(spec->limits.pids, -1);
	assert_string_equal(spec->limits.cpus, "0-1");
	assert_string_equal(spec->limits.devices[0].access, "rw");
	assert_int_equal(spec->limits.devices[0].minor, -1);
	assert_string_equal(spec->limits.unified.items[0], "memory.high=1");
	assert_string_equal(spec->limits.hugetlb.items[0], "2MB=4");
	assert_string_equal(spec->limits.throttle.items[0], "rbps 8:0 99");
	assert_string_equal(spec->mounts[0].destination, "/proc");
	assert_string_equal(spec->mounts[1].type, "bind");
	assert_string_equal(spec->mounts[1].source, "/bundle/here");
	assert_int_equal(spec->hooks[HOOK_POSTSTOP].items[0].timeout_s, 3);
	assert_string_equal(spec->hooks[HOOK_POSTSTOP].items[0].args.items[0], "/bin/true");
	assert_non_null(json_object_get(spec->annotations, "a"));
}

static void refusals_name_the_place(void **state)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
		{ "", "not valid JSON" },
		{ "[]", "expected an object" },
		{ "{\"a\":1,\"a\":2}", "not valid JSON" },
		{ "{}", "ociVersion" },
		{ "{\"ociVersion\":\"1.0.2\"}", "root.path" },
		{ DOC(",\"env\":[\"A\"]", "", ""), "process.env" },
		{ DOC(",\"env\":[1]", "", ""), "process.env[0]" },
		{ DOC(",\"user\":{\"uid\":-1}", "", ""), "process.user.uid" },
		{ DOC(",\"user\":{\"uid\":4294967295}", "", ""), "process.user.uid" },
		{ DOC(",\"user\":{\"umask\":512}", "", ""), "process.user.umask" },
		{ DOC(",\"user\":{\"additionalGids\":[-1]}", "", ""), "additionalGids" },
		{ DOC(",\"user\":{\"additionalGids\":[\"0\"]}", "", ""), "additionalGids" },
		{ DOC(",\"capabilities\":{\"bounding\":[\"CHOWN\"]}", "", ""),
		  "process.capabilities.bounding: 'CHOWN'" },
		{ DOC(",\"rlimits\":[{\"type\":\"NOFILE\"}]", "", ""), "process.rlimits[0].type" },
		{ DOC(",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":-2}]", "", ""), "soft" },
		{ DOC(",\"oomScoreAdj\":1001", "", ""), "process.oomScoreAdj" },
		{ DOC(",\"consoleSize\":{\"height\":65536}", "", ""), "height" },
		{ DOC("", ",\"sysctl\":{\"../x\":\"1\"}", ""), "linux.sysctl" },
		{ DOC("", ",\"sysctl\":{\"a/../x\":\"1\"}", ""), "linux.sysctl" },
		{ DOC("", ",\"sysctl\":{\"a\":1}", ""), "linux.sysctl" },
		{ DOC("", ",\"maskedPaths\":[\"proc\"]", ""), "linux.maskedPaths" },
		{ DOC("", ",\"readonlyPaths\":[\"/a/..\"]", ""), "linux.readonlyPaths" },
		{ DOC("", ",\"rootfsPropagation\":\"maybe\"", ""), "linux.rootfsPropagation" },
		{ DOC("", ",\"devices\":[{\"path\":\"/x\",\"type\":\"z\"}]", ""),
		  "linux.devices[0].type" },
		{ DOC("", ",\"devices\":[{\"path\":\"/../x\",\"type\":\"c\"}]", ""),
		  "linux.devices[0].path" },
		{ DOC("", ",\"uidMappings\":[{\"size\":0}]", ""), "linux.uidMappings[0].size" },
		{ DOC("", ",\"resources\":5", ""), "linux.resources" },
		{ DOC("", ",\"resources\":{\"memory\":{\"limit\":\"1\"}}", ""),
		  "linux.resources.memory.limit" },
		{ DOC("", ",\"resources\":{\"unified\":{\"../a\":\"1\"}}", ""), "unified" },
		{ DOC("", ",\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"../x\"}]}", ""),
		  "hugepageLimits" },
		{ DOC("", ",\"resources\":{\"devices\":[{\"access\":\"rwx\"}]}", ""),
		  "linux.resources.devices[0].access" },
		{ DOC("", ",\"resources\":{\"devices\":[{\"access\":\"rrrr\"}]}", ""), "access" },
		{ DOC("", "", ",\"mounts\":[{\"destination\":\"/a/../b\",\"type\":\"x\"}]"),
		  "mounts[0].destination" },
		{ DOC("", "", ",\"mounts\":[{\"destination\":\"/a\",\"options\":[\"bind\"]}]"),
		  "mounts[0].source" },
		{ DOC("", "", ",\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/\"}]"),
		  "mounts[1].destination" },
		{ DOC("", "", ",\"hooks\":{\"poststop\":[{\"path\":\"true\"}]}"),
		  "hooks.poststop.path" },
		{ DOC("", "", ",\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]}"),
		  "hooks.poststop.timeout" },
		{ DOC("", "", ",\"hostname\":\"box\""), "needs a uts namespace" },
		{ DOC("", "", ",\"hostname\":5"), "hostname" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(spec_cleanup) struct spec *spec = NULL;
		struct error err = { 0 };

		if (parse(cases[i].text, &spec, &err) >= 0)
			fail_msg("%s is taken", cases[i].text);
		if (!strstr(err.text, cases[i].place))
			fail_msg("'%s' says nothing of '%s'", err.text, cases[i].place);
	}
}

static void namespaces_are_known_and_there_once(void **state)
{
	static const struct {
		const char *list, *place;
	} cases[] = {
		{ "{\"type\":\"mount\"},{\"type\":\"mount\"}",
		  "namespaces[1].type: is there twice" },
		{ "{\"type\":\"mount\"},{\"type\":\"moon\"}", "namespaces[1].type: 'moon'" },
		{ "{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"x\"}", "namespaces[1].path" },
		{ "{\"type\":\"mount\",\"path\":\"/x\"}", "mount namespace of its own" },
		{ "", "mount namespace of its own" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text =
			xasprintf("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},"
				  "\"linux\":{\"namespaces\":[%s]}}",
				  cases[i].list);
		cleanup(spec_cleanup) struct spec *spec = NULL;
		struct error err = { 0 };

		assert_true(parse(text, &spec, &err) < 0);
		if (!strstr(err.text, cases[i].place))
			fail_msg("'%s' says nothing of '%s'", err.text, cases[i].place);
	}
}

/* The number that stands for "no limit" may also be a word of the command. */
static void texts_are_taken_as_they_are(void **state)
{
	static const char text[] = DOC(
		",\"env\":[\"A= 18446744073709551615 \",\"B=\\\\\",\"C=\\\", 18446744073709551615 \"]",
		"", "");
	cleanup(spec_cleanup) struct spec *spec = NULL;

	(void)state;
	assert_int_equal(parse(text, &spec, NULL), 0);
	assert_string_equal(spec->process->env.items[0], "A= 18446744073709551615 ");
	assert_string_equal(spec->process->env.items[1], "B=\\");
	assert_string_equal(spec->process->env.items[2], "C=\", 18446744073709551615 ");
}

static void what_is_behind_a_nul_is_not_forgotten(void **state)
{
	static const char text[] = DOC("", "", "") "\0garbage";
	cleanup(spec_cleanup) struct spec *spec = NULL;

	(void)state;
	assert_int_equal(spec_parse(text, sizeof(text) - 1, "/bundle", &spec, NULL), -EBADMSG);
}

static void the_default_is_valid(void **state)
{
	cleanup(json_cleanup) json_t *doc = default_spec();
	cleanup(spec_cleanup) struct spec *spec = NULL;

	(void)state;
	assert_int_equal(spec_from_json(doc, "/bundle", &spec, NULL), 0);
	assert_string_equal(spec->root, "/bundle/rootfs");
	assert_true(spec_has_new(spec, CLONE_NEWPID) && spec_has_new(spec, CLONE_NEWNET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_there_is_enough),
		cmocka_unit_test(the_process_is_read),
		cmocka_unit_test(the_rest_is_read),
		cmocka_unit_test(refusals_name_the_place),
		cmocka_unit_test(namespaces_are_known_and_there_once),
		cmocka_unit_test(texts_are_taken_as_they_are),
		cmocka_unit_test(what_is_behind_a_nul_is_not_forgotten),
		cmocka_unit_test(the_default_is_valid),
	};

	return cmocka_run_group_tests_name("runtime/spec", tests, NULL, NULL);
}

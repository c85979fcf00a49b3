/* src/lab/lab.c */
#include "lab/lab.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/process.h"
#include "base/root.h"
#include "lab/state.h"
#include "lab/yaml.h"

const char *lab_means_text(enum lab_means means)
{
	return means == MEANS_KERNEL  ? "the kernel's own"
	       : means == MEANS_BUILT ? "built by strake: this kernel has none"
				      : "not needed";
}

/* what somebody names */

/* A file, unless it can only be a name. */
static bool looks_like_file(const char *what)
{
	size_t len = strlen(what);

	return strchr(what, '/') || (len > 5 && strcmp(what + len - 5, ".yaml") == 0) ||
	       (len > 4 && strcmp(what + len - 4, ".yml") == 0);
}

int lab_read_file(const char *path, const char *what, struct topology **ret, char **ret_text,
		  struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, YAML_SIZE_MAX, &text, &len, err);

	if (r == 0)
		r = topology_parse(text, len, what, ret, err);
	if (r == 0 && ret_text)
		*ret_text = steal_ptr(&text);
	return r;
}

int lab_name_of(const char *what, char **ret, struct error *err)
{
	cleanup(topology_cleanup) struct topology *t = NULL;
	int r = 0;

	if (!looks_like_file(what)) {
		if (!name_is_valid(what))
			return error_set(err, -EINVAL, "'%.70s' is no name of a lab", what);
		*ret = xstrdup(what);
		return 0;
	}
	r = lab_read_file(what, what, &t, NULL, err);
	if (r == 0)
		*ret = xstrdup(t->name);
	return r;
}

char *lab_dir(const char *run_root, const char *name)
{
	autofree char *root = root_choose_run(run_root);

	return xasprintf("%s/labs/%s", root, name);
}

/* state.json */

static json_t *state_pack(const struct lab_state *s, size_t n_nodes)
{
	json_t *fds = json_array();

	for (size_t i = 0; i < n_nodes; i++)
		(void)json_array_append_new(fds, json_integer(s->node_fds[i]));
	return json_pack("{s:I, s:I, s:I, s:i, s:i, s:o, s:s*, s:s*}", "keeper",
			 (json_int_t)s->keeper, "start", (json_int_t)s->keeper_start, "since",
			 (json_int_t)s->since_ns, "vlan", s->vlan, "impair", s->impair, "nodes",
			 fds, "root", s->root, "runRoot", s->run_root);
}

int lab_state_save(const char *dir, const struct lab_state *s, size_t n_nodes, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = state_pack(s, n_nodes);
	autofree char *path = xasprintf("%s/state.json", dir);

	return json_save_at(AT_FDCWD, path, doc, false, err);
}

static int state_load(struct lab *lab, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *path = xasprintf("%s/state.json", lab->dir);
	struct json_reader rd;
	const json_t *fds;
	int r = json_load_at(AT_FDCWD, path, &doc, err);

	if (r < 0)
		return r;
	json_reader_init(&rd, path, err);
	lab->keeper = (pid_t)json_read_int(&rd, doc, "keeper", 1, INT32_MAX, 0);
	lab->keeper_start = (uint64_t)json_read_int(&rd, doc, "start", 0, INT64_MAX, 0);
	lab->since_ns = json_read_int(&rd, doc, "since", 0, INT64_MAX, 0);
	lab->vlan = (enum lab_means)json_read_int(&rd, doc, "vlan", 0, MEANS_BUILT, 0);
	lab->impair = (enum lab_means)json_read_int(&rd, doc, "impair", 0, MEANS_BUILT, 0);
	lab->root = xstrdup_or_null(json_read_string(&rd, doc, "root", NULL));
	lab->run_root = xstrdup_or_null(json_read_string(&rd, doc, "runRoot", NULL));
	fds = json_read_array(&rd, doc, "nodes");
	if (rd.r == 0 && json_array_size(fds) != lab->topology->n_nodes)
		json_fail(&rd, "nodes", "is not as long as the lab has nodes");
	lab->node_fds = xcalloc(lab->topology->n_nodes, sizeof(*lab->node_fds));
	for (size_t i = 0; rd.r == 0 && i < lab->topology->n_nodes; i++)
		lab->node_fds[i] = (int)json_integer_value(json_array_get(fds, i));
	return rd.r;
}

bool lab_keeper_of(const char *dir, pid_t *ret, uint64_t *ret_start)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *path = xasprintf("%s/state.json", dir);
	struct json_reader rd;
	uint64_t start;
	pid_t keeper;

	if (json_load_at(AT_FDCWD, path, &doc, NULL) < 0)
		return false;
	json_reader_init(&rd, path, NULL);
	keeper = (pid_t)json_read_int(&rd, doc, "keeper", 1, INT32_MAX, 0);
	start = (uint64_t)json_read_int(&rd, doc, "start", 0, INT64_MAX, 0);
	if (rd.r < 0 || !process_is_alive(keeper, start))
		return false;
	*ret = keeper;
	*ret_start = start;
	return true;
}

/* opening */

static int load(const char *dir, struct lab **ret, struct error *err)
{
	struct lab *lab = xnew(struct lab);
	autofree char *path = xasprintf("%s/lab.yaml", dir);
	autofree char *called = xasprintf("%s.yaml", strrchr(dir, '/') + 1);
	int r;

	lab->dir = xstrdup(dir);
	r = lab_read_file(path, called, &lab->topology, NULL, err);
	if (r == 0)
		r = state_load(lab, err);
	if (r < 0) {
		lab_close(lab);
		return r;
	}
	lab->open_fds = xcalloc(lab->topology->n_nodes, sizeof(*lab->open_fds));
	for (size_t i = 0; i < lab->topology->n_nodes; i++)
		lab->open_fds[i] = -1;
	*ret = lab;
	return 0;
}

static int keeper_died(const char *name, const char *file, struct error *err)
{
	return error_set(
		err, -ENOENT,
		"lab %s is not up any more: its keeper died; 'strake lab up %s' raises it again",
		name, file);
}

int lab_open(const char *run_root, const char *what, struct lab **ret, struct error *err)
{
	autofree char *name = NULL, *dir = NULL;
	struct lab *lab = NULL;
	int r = lab_name_of(what, &name, err);

	if (r < 0)
		return r;
	dir = lab_dir(run_root, name);
	if (access(dir, F_OK) < 0)
		return error_set(err, -ENOENT, "lab %.70s is not up; 'strake lab up %s' raises it",
				 name, looks_like_file(what) ? what : "FILE");
	r = load(dir, &lab, err);
	if (r < 0)
		return r;
	if (!process_is_alive(lab->keeper, lab->keeper_start)) {
		lab_close(lab);
		return keeper_died(name, looks_like_file(what) ? what : "FILE", err);
	}
	*ret = lab;
	return 0;
}

void lab_close(struct lab *lab)
{
	if (!lab)
		return;
	for (size_t i = 0; lab->open_fds && i < lab->topology->n_nodes; i++)
		if (lab->open_fds[i] >= 0)
			(void)close(lab->open_fds[i]);
	topology_free(lab->topology);
	free(lab->dir);
	free(lab->root);
	free(lab->run_root);
	free(lab->node_fds);
	free(lab->open_fds);
	free(lab);
}

int lab_netns(struct lab *lab, size_t node, struct error *err)
{
	autofree char *path = NULL;

	if (lab->open_fds[node] >= 0)
		return lab->open_fds[node];
	path = xasprintf("/proc/%d/fd/%d", lab->keeper, lab->node_fds[node]);
	lab->open_fds[node] = open(path, O_RDONLY | O_CLOEXEC);
	/* One that is dying has let go of them already. */
	if (lab->open_fds[node] < 0 && (errno == ENOENT || errno == ESRCH))
		return keeper_died(lab->topology->name, "FILE", err);
	if (lab->open_fds[node] < 0)
		return error_sys(err, -errno, "open the network of node %s",
				 lab->topology->nodes[node].name);
	return lab->open_fds[node];
}

int lab_inside(struct lab *lab, size_t node, int (*fn)(void *data, struct error *err), void *data,
	       struct error *err)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = lab_netns(lab, node, err), r;

	if (fd < 0)
		return fd;
	if (home < 0 || setns(fd, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "enter node %s", lab->topology->nodes[node].name);
	r = fn(data, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	return r;
}

/* lists */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int lab_list(const char *run_root, struct strv *ret, struct error *err)
{
	autofree char *dir = lab_dir(run_root, "");
	DIR *labs = opendir(dir);
	const struct dirent *entry;

	if (!labs)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "list %s", dir);
	while ((entry = readdir(labs))) {
		struct lab *lab = NULL;

		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR ||
		    lab_open(run_root, entry->d_name, &lab, NULL) < 0)
			continue;
		lab_close(lab);
		strv_add(ret, entry->d_name);
	}
	(void)closedir(labs);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), compare);
	return 0;
}

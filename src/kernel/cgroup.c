/* src/kernel/cgroup.c - finding, making, entering and removing; limits are in cgroup_limit.c. */
#include "kernel/cgroup.h"

#include <dirent.h>
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/number.h"

#define MOUNT_POINT      "/sys/fs/cgroup"
#define PROC_BYTES_MAX   (64U << 10)
#define PIDS_BYTES_MAX   (4U << 20)
#define KILL_WAIT_MS     10000
#define KILL_ROUNDS      100
#define PARENT_RACES_MAX 16
#define OWNER_NAME       "trusted.strake"

void cgroup_limits_done(struct cgroup_limits *limits)
{
	free(limits->cpus);
	free(limits->mems);
	strv_done(&limits->throttle);
	strv_done(&limits->unified);
	strv_done(&limits->hugetlb);
	free(limits->devices);
}

void cgroup_close(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++) {
		free(cg->parts[i].dir);
		if (cg->parts[i].dir_fd >= 0)
			(void)close(cg->parts[i].dir_fd);
		if (cg->parts[i].join_fd >= 0)
			(void)close(cg->parts[i].join_fd);
	}
	free(cg->path);
	*cg = (struct cgroup) { 0 };
}

/* detection */

static void add_part(struct cgroup *cg, const char *name, const char *mount, bool v2)
{
	struct cgroup_part *part;
	struct statfs fs;

	if (cg->n == CGROUP_HIERARCHIES_MAX || strlen(name) >= sizeof(part->name))
		return;
	if (statfs(mount, &fs) < 0 || fs.f_type != (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return;
	part = &cg->parts[cg->n++];
	(void)snprintf(part->name, sizeof(part->name), "%s", name);
	part->v2 = v2;
	part->dir_fd = part->join_fd = -1;
	part->dir = xasprintf("%s%s", mount, cg->path);
}

/* Lines of /proc/self/cgroup: "4:memory:/path", "9:name=systemd:/", "0::/" (cgroups(7)). */
static int detect(struct cgroup *cg, struct error *err)
{
	autofree char *text = NULL;
	struct statfs fs;
	char *rest, *line;
	int r;

	if (statfs(MOUNT_POINT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
		add_part(cg, "unified", MOUNT_POINT, true);
		return 0;
	}
	r = file_read_at(AT_FDCWD, "/proc/self/cgroup", PROC_BYTES_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		autofree char *mount = NULL;
		char *name = line;

		(void)strsep(&name, ":");
		if (!name || !strchr(name, ':'))
			continue;
		*strchr(name, ':') = '\0';
		if (strncmp(name, "name=", 5) == 0)
			name += 5;
		mount = xasprintf(MOUNT_POINT "/%s", *name ? name : "unified");
		add_part(cg, *name ? name : "unified", mount, !*name);
	}
	return 0;
}

static int check_path(const char *path, struct error *err)
{
	autofree char *copy = xstrdup(path);
	char *rest = copy, *word;

	if (path[0] != '/')
		return error_set(err, -EINVAL, "cgroupsPath '%s' does not start with /", path);
	if (path[strspn(path, "/")] == '\0')
		return error_set(err, -EINVAL, "cgroupsPath '%s' is everybody's group", path);
	while ((word = strsep(&rest, "/")))
		if (strcmp(word, "..") == 0 || strcmp(word, ".") == 0)
			return error_set(err, -EINVAL, "cgroupsPath '%s' has a '%s' in it", path,
					 word);
	return 0;
}

/* A hierarchy without the group is skipped later: its dir_fd stays -1. */
static int open_part(struct cgroup_part *part, struct error *err)
{
	part->dir_fd = open(part->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (part->dir_fd < 0)
		return error_sys(err, -errno, "open cgroup %s", part->dir);
	if (part->v2)
		return 0;
	part->join_fd = openat(part->dir_fd, "tasks", O_WRONLY | O_CLOEXEC);
	return part->join_fd < 0 ? error_sys(err, -errno, "open %s/tasks", part->dir) : 0;
}

int cgroup_open(const char *path, struct cgroup *ret, struct error *err)
{
	struct cgroup cg = { 0 };
	int r = check_path(path, err);

	if (r < 0)
		return r;
	cg.path = xstrdup(path);
	r = detect(&cg, err);
	for (size_t i = 0; r == 0 && i < cg.n; i++) {
		r = open_part(&cg.parts[i], err);
		if (r == -ENOENT)
			r = 0;
	}
	if (r < 0) {
		cgroup_close(&cg);
		return r;
	}
	*ret = cg;
	return 0;
}

/* making */

/* cpuset.rst (v1): an empty cpuset takes no task, so a group has its parent's values to start with.
 */
static int inherit_cpuset(const char *dir, const char *parent, struct error *err)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		autofree char *from = xasprintf("%s/%s", parent, files[i]);
		autofree char *to = xasprintf("%s/%s", dir, files[i]);
		autofree char *value = NULL;

		r = file_read_at(AT_FDCWD, from, PROC_BYTES_MAX, &value, NULL, err);
		if (r == 0)
			r = file_put_at(AT_FDCWD, to, value, err);
	}
	return r;
}

/* Whoever made it may have been killed before it had its values: no task would ever enter. */
static bool is_empty_cpuset(const char *dir)
{
	autofree char *path = xasprintf("%s/cpuset.cpus", dir), *value = NULL;

	return file_read_at(AT_FDCWD, path, PROC_BYTES_MAX, &value, NULL, NULL) == 0 &&
	       value[strspn(value, " \n")] == '\0';
}

/* cgroup-v2.rst: a controller is there for children only if subtree_control says so. */
static void enable_controllers(const char *parent)
{
	autofree char *have = NULL, *path = xasprintf("%s/cgroup.controllers", parent);
	autofree char *control = xasprintf("%s/cgroup.subtree_control", parent);
	char *rest, *word;

	if (file_read_at(AT_FDCWD, path, PROC_BYTES_MAX, &have, NULL, NULL) < 0)
		return;
	rest = have;
	while ((word = strsep(&rest, " \n"))) {
		autofree char *plus = xasprintf("+%s", word);

		/* One at a time: a controller that cannot be had must not cost the others. */
		if (*word)
			ignore_result(file_put_at(AT_FDCWD, control, plus, NULL));
	}
}

/* Makes one directory level after the other, so that a new one can take over what it needs. */
static int make_levels(struct cgroup_part *part, const char *mount, const char *path,
		       struct error *err)
{
	bool cpuset = !part->v2 && strstr(part->name, "cpuset");
	autofree char *rest_of = xstrdup(path), *parent = xstrdup(mount);
	char *rest = rest_of, *word;
	int r = 0;

	while (r == 0 && (word = strsep(&rest, "/"))) {
		char *dir;

		if (!*word)
			continue;
		dir = xasprintf("%s/%s", parent, word);
		if (part->v2)
			enable_controllers(parent);
		part->mine = mkdir(dir, 0755) == 0;
		if (!part->mine && errno != EEXIST)
			r = error_sys(err, -errno, "make cgroup %s", dir);
		if (cpuset && (part->mine || is_empty_cpuset(dir)))
			r = inherit_cpuset(dir, parent, err);
		free(parent);
		parent = dir;
	}
	return r;
}

static bool has_subgroup(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool found = false;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return true;
	}
	while (!found && (entry = readdir(dir)))
		found = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0;
	(void)closedir(dir);
	return found;
}

/* What is in a container's group is killed at its end: a group that was there before must not hold
 * anything of somebody else.
 */
static int check_unused(const struct cgroup_part *part, struct error *err)
{
	autofree char *pids = NULL;
	int r = file_read_at(part->dir_fd, "cgroup.procs", PIDS_BYTES_MAX, &pids, NULL, err);

	if (r < 0)
		return r;
	if (pids[0] || has_subgroup(part->dir_fd))
		return error_set(err, -EBUSY, "cgroup %s is in use: it has %s", part->dir,
				 pids[0] ? "processes" : "groups below it");
	return 0;
}

static int make_part(struct cgroup_part *part, const char *path, struct error *err)
{
	autofree char *mount = xstrndup(part->dir, strlen(part->dir) - strlen(path));
	int r;

	/* The usual case is one mkdir: the parent is there from the container before. */
	part->mine = !part->v2 && !strstr(part->name, "cpuset") && mkdir(part->dir, 0755) == 0;
	r = part->mine ? 0 : make_levels(part, mount, path, err);
	/* Another container's end may take the common parent away between two levels. */
	for (unsigned tries = 0; r == -ENOENT && tries < PARENT_RACES_MAX; tries++)
		r = make_levels(part, mount, path, err);
	if (r == 0)
		r = open_part(part, err);
	return r < 0 || part->mine ? r : check_unused(part, err);
}

/* What enable_controllers() does, from the mount point down to the parent. */
static void narrate_controllers(const char *dir, size_t mount_len)
{
	struct buf parents = BUF_INIT(PROC_BYTES_MAX);
	const char *p = dir + mount_len;

	for (; p; p = strchr(p + 1, '/')) {
		autofree char *parent = xasprintf("%.*s", (int)(p - dir), dir);

		buf_addf(&parents, " %s", sq(parent));
	}
	(void)explain("what is above hands down what it can count",
		      "for d in%s; do for c in $(cat $d/cgroup.controllers); do "
		      "echo +$c > $d/cgroup.subtree_control || :; done; done",
		      buf_text(&parents));
	buf_done(&parents);
}

void cgroup_narrate(const struct cgroup *cg, const char *why)
{
	struct buf dirs = BUF_INIT(PROC_BYTES_MAX);

	if (explain_mode() == EXPLAIN_OFF)
		return;
	for (size_t i = 0; i < cg->n; i++)
		buf_addf(&dirs, "%s%s", i ? " " : "", cg->parts[i].dir);
	(void)explain(why, "groups=\"%s\"", buf_text(&dirs));
	buf_done(&dirs);
}

static bool narrate_create(const struct cgroup *cg)
{
	bool dry;

	if (explain_mode() == EXPLAIN_OFF)
		return false;
	cgroup_narrate(cg, "control groups: what its processes use is counted and limited here");
	dry = explain("made before the process that is born in them", "mkdir -p $groups");
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_part *part = &cg->parts[i];

		if (part->v2)
			narrate_controllers(part->dir, strlen(part->dir) - strlen(cg->path));
		else if (strstr(part->name, "cpuset"))
			(void)explain(
				"a new one has no processors: those of the one above",
				"for f in cpuset.cpus cpuset.mems; do d=%s; cat \"$d/../../$f\" "
				"> \"$d/../$f\"; cat \"$d/../$f\" > \"$d/$f\"; done",
				sq(part->dir));
	}
	return dry;
}

int cgroup_create(const char *path, struct cgroup *ret, struct error *err)
{
	struct cgroup cg = { 0 };
	int r = check_path(path, err);

	if (r < 0)
		return r;
	cg.path = xstrdup(path);
	r = detect(&cg, err);
	if (r == 0 && !narrate_create(&cg))
		for (size_t i = 0; r == 0 && i < cg.n; i++)
			r = make_part(&cg.parts[i], path, err);
	if (r < 0) {
		for (size_t i = 0; i < cg.n; i++)
			if (cg.parts[i].mine)
				(void)rmdir(cg.parts[i].dir);
		cgroup_close(&cg);
		return r;
	}
	*ret = cg;
	return 0;
}

/* entering */

int cgroup_v2_fd(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].v2)
			return cg->parts[i].dir_fd;
	return -1;
}

int cgroup_join_v1(const struct cgroup *cg, struct error *err)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].join_fd >= 0 && write(cg->parts[i].join_fd, "0", 1) < 0)
			return error_sys(err, -errno, "enter cgroup %s", cg->parts[i].dir);
	return 0;
}

/* what is inside */

static const struct cgroup_part *part_for_pids(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].dir_fd >= 0 && (cg->parts[i].v2 ? cg->n == 1 : true))
			return &cg->parts[i];
	return NULL;
}

int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_n, struct error *err)
{
	const struct cgroup_part *part = part_for_pids(cg);
	autofree char *text = NULL;
	pid_t *pids = NULL;
	size_t n = 0, room = 0;
	char *rest, *line;
	uint64_t pid;
	int r;

	*ret = NULL;
	*ret_n = 0;
	if (!part)
		return 0;
	r = file_read_at(part->dir_fd, "cgroup.procs", PIDS_BYTES_MAX, &text, NULL, err);
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (!*line || number_parse(line, INT32_MAX, &pid) < 0)
			continue;
		VEC_GROW(pids, n, room);
		pids[n++] = (pid_t)pid;
	}
	*ret = pids;
	*ret_n = n;
	return 0;
}

int cgroup_signal(const struct cgroup *cg, int sig, struct error *err)
{
	autofree pid_t *pids = NULL;
	size_t n;
	int r = cgroup_pids(cg, &pids, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (pids[i] > 0 && kill(pids[i], sig) < 0 && errno != ESRCH)
			r = error_sys(err, -errno, "send signal %d to process %d", sig, pids[i]);
	return r;
}

/* freezing */

static const struct cgroup_part *part_named(const struct cgroup *cg, const char *name)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].dir_fd >= 0 && strcmp(cg->parts[i].name, name) == 0)
			return &cg->parts[i];
	return NULL;
}

int cgroup_freeze(const struct cgroup *cg, bool frozen, struct error *err)
{
	const struct cgroup_part *v1 = part_named(cg, "freezer"), *v2 = part_named(cg, "unified");
	const char *file = v1 ? "freezer.state" : "cgroup.freeze";
	const char *value = v1 ? (frozen ? "FROZEN" : "THAWED") : (frozen ? "1" : "0");

	if (!v1 && !v2)
		return error_set(err, -EOPNOTSUPP, "this machine has no freezer cgroup");
	if (explain(frozen ? "all of it stops where it is" : "all of it goes on", "echo %s > %s/%s",
		    value, sq((v1 ? v1 : v2)->dir), file))
		return 0;
	return file_put_at((v1 ? v1 : v2)->dir_fd, file, value, err);
}

bool cgroup_is_frozen(const struct cgroup *cg)
{
	const struct cgroup_part *v1 = part_named(cg, "freezer"), *v2 = part_named(cg, "unified");
	autofree char *text = NULL;

	if (!v1 && !v2)
		return false;
	if (file_read_at((v1 ? v1 : v2)->dir_fd, v1 ? "freezer.state" : "cgroup.freeze", 64, &text,
			 NULL, NULL) < 0)
		return false;
	return text[0] == 'F' || text[0] == '1';
}

/* removing */

static void wait_gone(pid_t pid)
{
	autoclose int fd = pidfd_open(pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)poll(&p, 1, KILL_WAIT_MS);
}

/* A group frozen by someone would never end. */
static int kill_all(const struct cgroup *cg, struct error *err)
{
	int64_t deadline = clock_monotonic_ms() + KILL_WAIT_MS;

	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		autofree pid_t *pids = NULL;
		size_t n;
		int r = cgroup_pids(cg, &pids, &n, err);

		if (r < 0 || n == 0)
			return r;
		if (cgroup_is_frozen(cg))
			ignore_result(cgroup_freeze(cg, false, NULL));
		for (size_t i = 0; i < n; i++)
			if (pids[i] > 0)
				(void)kill(pids[i], SIGKILL);
		for (size_t i = 0; i < n; i++)
			if (pids[i] > 0)
				wait_gone(pids[i]);
		if (clock_monotonic_ms() > deadline)
			break;
	}
	return error_set(err, -EBUSY, "processes in cgroup %s do not end", cg->path);
}

/* A process in a group of one hierarchy alone need not be in the others. */
static void kill_group(const char *dir)
{
	autofree char *text = NULL, *procs = xasprintf("%s/cgroup.procs", dir);
	char *rest, *line;
	uint64_t pid;

	if (file_read_at(AT_FDCWD, procs, PIDS_BYTES_MAX, &text, NULL, NULL) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line && number_parse(line, INT32_MAX, &pid) == 0 && pid > 0)
			wait_gone((pid_t)pid);
}

/* Its own group's directory and, before it, those that the container made below. */
static int remove_tree(const char *dir)
{
	const char *paths[] = { dir, NULL };
	FTS *tree = fts_open((char *const *)paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	int r = 0;

	if (!tree)
		return -errno;
	while ((entry = fts_read(tree))) {
		if (entry->fts_info != FTS_DP)
			continue;
		if (rmdir(entry->fts_accpath) == 0 || errno == ENOENT)
			continue;
		kill_group(entry->fts_accpath);
		if (rmdir(entry->fts_accpath) < 0 && errno != ENOENT)
			r = -errno;
	}
	(void)fts_close(tree);
	return r;
}

static int remove_part(const struct cgroup *cg, const struct cgroup_part *part, struct error *err)
{
	autofree char *parent = xstrdup(part->dir);
	int r;

	if (part->dir_fd < 0)
		return 0;
	if (rmdir(part->dir) < 0 && errno == EBUSY) {
		r = kill_all(cg, err);
		if (r == 0)
			r = remove_tree(part->dir);
		if (r < 0)
			return error_sys(err, r, "remove cgroup %s", part->dir);
	}
	/* Ours is one below "/strake": that goes with the last container, by failing until then. */
	*strrchr(parent, '/') = '\0';
	if (strncmp(cg->path, "/strake/", 8) == 0)
		(void)rmdir(parent);
	return 0;
}

int cgroup_remove(const struct cgroup *cg, struct error *err)
{
	int first = 0;

	/* One that cannot be removed keeps no other. */
	for (size_t i = 0; i < cg->n; i++) {
		int r = remove_part(cg, &cg->parts[i], first < 0 ? NULL : err);

		first = first < 0 ? first : r;
	}
	return first;
}

/* what others left */

static void add_children(const struct cgroup_part *part, struct strv *to)
{
	DIR *dir = opendir(part->dir);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    !strv_has(to, entry->d_name))
			strv_add(to, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

int cgroup_children(const char *path, struct strv *ret, struct error *err)
{
	struct cgroup cg = { 0 };
	int r = cgroup_open(path, &cg, err);

	for (size_t i = 0; r == 0 && i < cg.n; i++)
		add_children(&cg.parts[i], ret);
	cgroup_close(&cg);
	return r;
}

void cgroup_set_owner(const struct cgroup *cg, const char *owner)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->parts[i].dir_fd >= 0)
			(void)fsetxattr(cg->parts[i].dir_fd, OWNER_NAME, owner, strlen(owner), 0);
}

/* How many of its groups have that owner, or another one. */
static size_t count_owners(const struct cgroup *cg, const char *owner, bool other)
{
	char value[PATH_MAX];
	size_t len = strlen(owner), count = 0;

	for (size_t i = 0; i < cg->n; i++) {
		int fd = cg->parts[i].dir_fd;
		ssize_t n = fd < 0 ? -1 : fgetxattr(fd, OWNER_NAME, value, sizeof(value));

		if (n >= 0)
			count += ((size_t)n == len && memcmp(value, owner, len) == 0) != other;
	}
	return count;
}

bool cgroup_has_owner(const struct cgroup *cg, const char *owner)
{
	return count_owners(cg, owner, false) > 0;
}

bool cgroup_has_other_owner(const struct cgroup *cg, const char *owner)
{
	return count_owners(cg, owner, true) > 0;
}

uint64_t cgroup_oom_kills(const struct cgroup *cg)
{
	const struct cgroup_part *v1 = part_named(cg, "memory"), *v2 = part_named(cg, "unified");
	const struct cgroup_part *part = v1 ? v1 : v2;
	autofree char *text = NULL;
	const char *found;
	uint64_t n = 0;

	if (!part || file_read_at(part->dir_fd, v1 ? "memory.oom_control" : "memory.events",
				  PROC_BYTES_MAX, &text, NULL, NULL) < 0)
		return 0;
	found = strstr(text, "oom_kill ");
	if (found) {
		*(char *)(found + strcspn(found, "\n")) = '\0';
		if (number_parse(found + 9, UINT64_MAX, &n) < 0)
			return 0;
	}
	return n;
}

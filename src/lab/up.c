/* src/lab/up.c
 *
 * The lock is a file beside the lab's directory, not in it: the directory goes while others wait.
 * Directory and record are there before the keeper is told to stay, so that no lab is up that
 * nobody could name; a record without a keeper is rubbish that the next "up", "down" or "list"
 * clears away.
 */
#include "lab/up.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/id.h"
#include "base/process.h"
#include "lab/container.h"
#include "lab/keeper.h"
#include "lab/names.h"
#include "lab/raise.h"
#include "lab/state.h"

/* Of a file that its last holder removed, the lock is worth nothing. */
static bool is_there(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

static int lock(const char *run_root, const char *name, int *ret, struct error *err)
{
	autofree char *labs = lab_dir(run_root, "");
	autofree char *path = xasprintf("%s%s" LAB_LOCK_ENDING, labs, name);
	int r = dir_make_at(AT_FDCWD, labs, 0700, err);

	while (r == 0) {
		autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return error_sys(err, -errno, "open %s", path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				return error_set(
					err, -EBUSY,
					"lab %s is being raised or taken down by another command",
					name);
			return error_sys(err, -errno, "lock %s", path);
		}
		if (is_there(fd, path)) {
			*ret = steal_fd(&fd);
			return 0;
		}
	}
	return r;
}

static void unlock(const char *run_root, const char *name, int *fd)
{
	autofree char *labs = lab_dir(run_root, "");
	autofree char *path = xasprintf("%s%s" LAB_LOCK_ENDING, labs, name);

	if (*fd >= 0)
		(void)unlink(path);
	if (*fd >= 0)
		(void)close(steal_fd(fd));
}

static int prepare(const char *dir, const struct topology *t, const char *text, struct error *err)
{
	autofree char *copy = xasprintf("%s/lab.yaml", dir);
	int r;

	if (explain_dry())
		return 0;
	r = dir_remove_at(AT_FDCWD, dir, err); /* of a keeper that died */
	if (r == 0)
		r = dir_make_at(AT_FDCWD, dir, 0755, err);
	if (r == 0)
		r = file_write_at(AT_FDCWD, copy, text, strlen(text), 0644, FILE_PLAIN, err);
	if (r == 0)
		r = lab_names_write(dir, t, err);
	return r;
}

static int record(const char *dir, const struct lab_request *request, const struct raised *raised,
		  const struct keeper *keeper, struct error *err)
{
	size_t n = raised->topology->n_nodes;
	autofree int *fds = xcalloc(n, sizeof(*fds));
	struct lab_state state = { .keeper = keeper->pid,
				   .since_ns = clock_now_ns(),
				   .vlan = raised->vlan,
				   .impair = raised->impair,
				   .node_fds = fds,
				   .root = request->root,
				   .run_root = request->run_root };
	int r = process_start_time(keeper->pid, &state.keeper_start);

	if (r < 0)
		return error_sys(err, r, "find the lab's keeper");
	for (size_t i = 0; i < n; i++)
		fds[i] = raised->ns[i].fd;
	return lab_state_save(dir, &state, n, err);
}

static int raise_and_keep(const char *dir, const struct lab_request *request,
			  const struct topology *t, struct error *err)
{
	cleanup(keeper_done) struct keeper keeper = KEEPER_INIT;
	cleanup(raised_done) struct raised raised = { .ns = NULL };
	struct container_site site = { .root = request->root,
				       .run_root = request->run_root,
				       .file = request->file,
				       .dir = dir };
	int r = raise_lab(t, &raised, err);

	if (r == 0)
		r = keeper_start(&raised, dir, &keeper, err);
	fault_point("lab-kept");
	site.keeper = keeper.pid;
	if (r == 0)
		r = container_start_all(&raised, &site, err);
	if (r == 0 && !explain_dry())
		r = record(dir, request, &raised, &keeper, err);
	fault_point("lab-recorded");
	if (r == 0)
		r = keeper_commit(&keeper, err);
	return r;
}

/* What a command left that was killed: no keeper, and nobody holds the lock. */
static void clean_one(const char *run_root, const char *name)
{
	autofree char *dir = lab_dir(run_root, name);
	uint64_t start;
	int locked = -1;
	pid_t keeper;

	if (lab_keeper_of(dir, &keeper, &start) || lock(run_root, name, &locked, NULL) < 0)
		return;
	/* It may have been raised before we had the lock. */
	if (!lab_keeper_of(dir, &keeper, &start))
		ignore_result(dir_remove_at(AT_FDCWD, dir, NULL));
	unlock(run_root, name, &locked);
}

void labs_clean(const char *run_root)
{
	cleanup(strv_done) struct strv names = { 0 };
	autofree char *path = lab_dir(run_root, "");
	DIR *labs = opendir(path);
	const struct dirent *entry;

	while (labs && (entry = readdir(labs))) {
		const char *dot = strrchr(entry->d_name, '.');
		autofree char *name =
			dot && strcmp(dot, LAB_LOCK_ENDING) == 0
				? xstrndup(entry->d_name, (size_t)(dot - entry->d_name))
				: xstrdup(entry->d_name);

		if (name_is_valid(name))
			strv_add(&names, name);
	}
	if (labs)
		(void)closedir(labs);
	for (size_t i = 0; i < names.n; i++)
		clean_one(run_root, names.items[i]);
}

static int refuse_second(const char *run_root, const char *name, struct error *err)
{
	autofree char *dir = lab_dir(run_root, name);
	uint64_t start;
	pid_t keeper;

	if (!lab_keeper_of(dir, &keeper, &start))
		return 0;
	return error_set(
		err, -EEXIST,
		"lab %s is up already, held by process %d; 'strake lab down %s' takes it down, or give this one another name",
		name, keeper, name);
}

static int up_locked(const struct lab_request *request, const struct topology *t, const char *text,
		     struct error *err)
{
	autofree char *dir = lab_dir(request->run_root, t->name);
	int r = explain_dry() ? 0 : refuse_second(request->run_root, t->name, err);

	if (r < 0)
		return r;
	r = prepare(dir, t, text, err);
	if (r == 0)
		r = raise_and_keep(dir, request, t, err);
	if (r < 0)
		ignore_result(dir_remove_at(AT_FDCWD, dir, NULL));
	return r;
}

int lab_up(const struct lab_request *request, struct lab **ret_lab, struct error *err)
{
	cleanup(topology_cleanup) struct topology *t = NULL;
	autofree char *text = NULL;
	int locked = -1, r = lab_read_file(request->file, request->file, &t, &text, err);

	if (ret_lab)
		*ret_lab = NULL;
	if (r == 0 && !explain_dry() && geteuid() != 0)
		r = error_set(err, -EPERM,
			      "raising a lab needs root; --dry-run prints what it would do");
	if (r == 0 && !explain_dry())
		r = lock(request->run_root, t->name, &locked, err);
	if (r < 0)
		return r;
	process_allow_descriptors(); /* a node takes two while it is raised */
	r = up_locked(request, t, text, err);
	unlock(request->run_root, t->name, &locked);
	if (r == 0 && ret_lab && !explain_dry())
		r = lab_open(request->run_root, t->name, ret_lab, err);
	return r;
}

static int down_locked(const char *run_root, const char *name, struct error *err)
{
	autofree char *dir = lab_dir(run_root, name);
	struct lab *lab = NULL;
	struct error why = { 0 };
	uint64_t start = 0;
	pid_t keeper = 0;
	bool held = lab_keeper_of(dir, &keeper, &start);
	int r = lab_open(run_root, name, &lab, &why);

	if (r < 0 && access(dir, F_OK) < 0) {
		*err = why;
		return r;
	}
	r = held ? keeper_end(keeper, start, err) : -ESRCH;
	if (lab && (r == 0 || r == -ESRCH))
		container_stop_all(lab->topology, lab->root, lab->run_root);
	lab_close(lab);
	if (r < 0 && r != -ESRCH)
		return r;
	return dir_remove_at(AT_FDCWD, dir, err);
}

int lab_down(const char *run_root, const char *what, struct error *err)
{
	autofree char *name = NULL;
	int locked = -1, r = lab_name_of(what, &name, err);

	if (r == 0)
		r = lock(run_root, name, &locked, err);
	if (r < 0)
		return r;
	if (!explain("its keeper ends, and all that it holds", "strake lab down %s", sq(name)))
		r = down_locked(run_root, name, err);
	unlock(run_root, name, &locked);
	return r;
}

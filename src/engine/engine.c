/* src/engine/engine.c */
#include "engine/engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/root.h"
#include "base/space.h"
#include "engine/recover.h"
#include "engine/schema.h"
#include "image/schema.h"
#include "kernel/nft.h"
#include "network/attach.h"
#include "network/cni_record.h"
#include "network/schema.h"

#define ASIDE_MAX 100 /* damaged databases that are kept */

static const struct db_schema *const schemas[] = {
	&engine_schema, &network_schema, &cni_record_schema, &image_schema, NULL,
};

/* Paths go into config.json and scripts, so they must not depend on the working directory. */
static int absolute(char **path, struct error *err)
{
	autofree char *cwd = NULL;
	char *joined;

	if ((*path)[0] == '/')
		return 0;
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return error_sys(err, -errno, "find the working directory");
	joined = xasprintf("%s/%s", cwd, *path);
	free(*path);
	*path = joined;
	return 0;
}

/* Its own, or one that was made for it: a directory that holds other things too is not closed to
 * those who use them.
 */
static bool is_for_us(int fd, const char *known)
{
	autoclose int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	bool empty = dir != NULL;

	if (dir)
		(void)steal_fd(&copy);
	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (dir)
		(void)closedir(dir);
	return empty || faccessat(fd, known, F_OK, 0) == 0;
}

/* What lies below has modes of its own (set-user-ID files and devices of images, whatever a
 * container makes), which no other user of the host may come near.
 */
static void make_private(int fd, const char *known)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (st.st_mode & 077) == 0 || st.st_uid != geteuid() ||
	    !is_for_us(fd, known))
		return;
	(void)fchmod(fd, 0700);
}

/* Whoever looks at a root that cannot be there means another. */
static int check_parent(const char *root, struct error *err)
{
	autofree char *parent = xstrdup(root);
	size_t len = strlen(parent);

	while (len > 1 && parent[len - 1] == '/')
		parent[--len] = '\0';
	while (len > 1 && parent[len - 1] != '/')
		parent[--len] = '\0';
	if (parent[len - 1] != '/' || access(parent, F_OK) == 0 ||
	    (errno != ENOENT && errno != ENOTDIR))
		return 0;
	return error_set(err, -ENOENT, "no state at --root %s: there is no %s", root, parent);
}

/* Whose directory it is can put other files in the place of those that root will run. */
static int check_owner(const char *path, int fd, struct error *err)
{
	struct stat st;

	if (geteuid() != 0 || fstat(fd, &st) < 0 || st.st_uid == 0)
		return 0;
	return error_set(err, -EPERM,
			 "%s belongs to user %u, who could change what root runs; 'chown 0 %s', or "
			 "--root and --run-root name another",
			 path, st.st_uid, sq(path));
}

static int root_open(char **path, const char *known, int *ret, struct error *err)
{
	int r;

	if (!(*path)[0])
		return error_set(err, -EINVAL, "--root and --run-root want a directory, not ''");
	r = absolute(path, err);
	if (r < 0)
		return r;
	if (explain_dry()) {
		*ret = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return 0;
	}
	r = dir_ensure_at(AT_FDCWD, *path, 0700, ret, err);
	if (r == -EACCES || r == -EPERM)
		return error_wrap(err, r, "state needs root, or another --root and --run-root");
	if (r == 0)
		r = check_owner(*path, *ret, err);
	if (r == 0)
		make_private(*ret, known);
	return r;
}

char *libexec_find(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	autofree char *beside = NULL;
	char *slash;

	if (n <= 0)
		return xstrdup("/usr/libexec/strake");
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	beside = xasprintf("%s/strake-monitor", self);
	if (access(beside, X_OK) == 0)
		return xstrdup(self);
	slash = strrchr(self, '/');
	return xasprintf("%.*s/libexec/strake", slash ? (int)(slash - self) : 0, self);
}

/* The front command: a program of libexec has no clean-up command.  In the build tree they lie side
 * by side.
 */
static char *front_find(void)
{
	static const char *const places[] = { "strake", "../../bin/strake" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int dir;

	if (n <= 0)
		return xstrdup("strake");
	self[n] = '\0';
	dir = (int)(strrchr(self, '/') - self);
	for (size_t i = 0; i < ARRAY_SIZE(places) && strcmp(self + dir, "/strake") != 0; i++) {
		autofree char *front = xasprintf("%.*s/%s", dir, self, places[i]);

		if (access(front, X_OK) == 0)
			return steal_ptr(&front);
	}
	return xstrdup(self);
}

static int db_ready(struct engine *engine, struct error *err)
{
	autofree char *path = xasprintf("%s/state.db", engine->root);

	bool is_new = access(path, F_OK) < 0;
	int r;

	if (explain_dry() && access(path, R_OK | W_OK) < 0) {
		engine->is_blind = errno == EACCES;
		path[0] = '\0';
	}
	r = db_open(path[0] ? path : ":memory:", schemas, &engine->db, err);
	return r == 0 && is_new ? recover_lost(engine, err) : r;
}

/* Both have a directory "containers", in which each keeps other files. */
static int check_apart(const struct engine *engine, struct error *err)
{
	struct stat root, run;

	if (fstat(engine->root_fd, &root) < 0 || fstat(engine->run_fd, &run) < 0 ||
	    root.st_dev != run.st_dev || root.st_ino != run.st_ino)
		return 0;
	return error_set(
		err, -EINVAL,
		"--root and --run-root are the same directory, %s: give one of them another",
		engine->root);
}

static int refuse_blind(const struct engine *engine, struct error *err)
{
	return error_set(err, -EACCES,
			 "read the state in %s: Permission denied; a dry run looks at it, too: "
			 "run it as root, or give another --root and --run-root",
			 engine->root);
}

int engine_need_root(const char *what, struct error *err)
{
	return geteuid() == 0 ? 0
			      : error_set(err, -EPERM, "needs root: %s; try it with sudo", what);
}

void engine_advise(struct engine *engine, struct error *err)
{
	autofree char *text = engine->is_blind && err->code == -ENOENT ? xstrdup(err->text) : NULL;

	if (text)
		(void)error_set(err, err->code,
				"%.300s; only root can read %s, where it may be: run this as root",
				text, engine->root);
	space_advise(engine->root, engine->run_root, err);
}

int engine_open(const struct engine_options *options, struct engine **ret, struct error *err)
{
	struct engine *engine = xnew(struct engine);
	int r;

	engine->root_fd = engine->run_fd = -1;
	engine->root = root_choose_lasting(options->root);
	engine->run_root = root_choose_run(options->run_root);
	engine->libexec = libexec_find();
	engine->self = front_find();
	engine->nft = xnew(struct nft_door);
	r = options->looks && options->root && options->root[0] ? check_parent(options->root, err)
								: 0;
	if (r == 0)
		r = root_open(&engine->root, "state.db", &engine->root_fd, err);
	if (r == 0)
		r = root_open(&engine->run_root, "containers", &engine->run_fd, err);
	if (r == 0)
		r = check_apart(engine, err);
	if (r == 0)
		r = db_ready(engine, err);
	if (r == 0 && engine->is_blind && options->looks)
		r = refuse_blind(engine, err);
	if (r < 0) {
		engine_advise(engine, err);
		engine_close(engine);
		return r;
	}
	*ret = engine;
	return 0;
}

void engine_rest(struct engine *engine)
{
	db_close(engine->db);
	engine->db = NULL;
}

int engine_resume(struct engine *engine, struct error *err)
{
	return db_ready(engine, err);
}

int engine_db_aside(const struct engine_options *options, char **ret, struct error *err)
{
	autofree char *root = root_choose_lasting(options->root);
	autofree char *from = xasprintf("%s/state.db", root);
	autofree char *log = xasprintf("%s-wal", from), *shared = xasprintf("%s-shm", from);

	for (int i = 1; i < ASIDE_MAX; i++) {
		autofree char *to = xasprintf("%s.damaged-%d", from, i);
		autofree char *log_to = xasprintf("%s-wal", to);

		if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0) {
			if (errno == EEXIST)
				continue;
			return error_sys(err, -errno, "move %s to %s", from, to);
		}
		(void)rename(log, log_to);
		(void)unlink(shared);
		*ret = steal_ptr(&to);
		return 0;
	}
	return error_set(err, -EEXIST, "%s.damaged-1 to -%d are all there; remove some", from,
			 ASIDE_MAX - 1);
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	db_close(engine->db);
	if (engine->root_fd >= 0)
		(void)close(engine->root_fd);
	if (engine->run_fd >= 0)
		(void)close(engine->run_fd);
	free(engine->root);
	free(engine->run_root);
	free(engine->libexec);
	nft_door_close(engine->nft);
	free(engine->nft);
	free(engine->self);
	strv_done(&engine->revived);
	free(engine);
}

struct network_site engine_network(const struct engine *engine)
{
	return (struct network_site) { .db = engine->db,
				       .root_fd = engine->root_fd,
				       .root = engine->root,
				       .run_root = engine->run_root,
				       .libexec = engine->libexec,
				       .nft = engine->nft };
}

struct db *engine_db(struct engine *engine)
{
	return engine->db;
}

const char *engine_root(const struct engine *engine)
{
	return engine->root;
}

int engine_root_fd(const struct engine *engine)
{
	return engine->root_fd;
}

char *engine_program(const struct engine *engine, const char *name)
{
	return xasprintf("%s/%s", engine->libexec, name);
}

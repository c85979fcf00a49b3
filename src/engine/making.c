/* src/engine/making.c */
#include "engine/making.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/lock.h"
#include "engine/making_network.h"
#include "engine/options.h"
#include "engine/remove.h"
#include "engine/schema.h"
#include "engine/supply.h"

#define HOST_NAME_ROOM 65

static bool network_is(const struct making *m, const char *kind)
{
	return strcmp(m->c->network, kind) == 0;
}

/* plan */

static int choose_name(struct making *m, struct error *err)
{
	char name[64];

	if (m->options->name) {
		if (!name_is_valid(m->options->name))
			return error_set(err, -EINVAL,
					 "--name '%s': letters, digits, and _.+- behind the first",
					 m->options->name);
		m->c->name = xstrdup(m->options->name);
		return 0;
	}
	if (name_new(name) < 0)
		return error_sys(err, -EIO, "choose a name");
	m->c->name = xstrdup(name);
	return 0;
}

static int choose_hostname(struct making *m, struct error *err)
{
	char host[HOST_NAME_ROOM];

	if (m->options->hostname) {
		if (!m->options->hostname[0] || strlen(m->options->hostname) >= HOST_NAME_ROOM ||
		    !name_is_valid(m->options->hostname))
			return error_set(err, -EINVAL, "--hostname '%s' is not a host name",
					 m->options->hostname);
		m->hostname = xstrdup(m->options->hostname);
	} else if (m->root.hostname && m->root.hostname[0]) {
		m->hostname = xstrdup(m->root.hostname);
	} else if (network_is(m, "host") && gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		m->hostname = xstrdup(host);
	} else {
		m->hostname = xstrndup(m->c->id, ID_SHORT_LEN);
	}
	return 0;
}

static int choose_stop_signal(struct making *m, struct error *err)
{
	const struct image_config *image = m->root.config;
	const char *text = m->options->stop_signal ? m->options->stop_signal
			   : image                 ? image->stop_signal
						   : NULL;

	if (text && text[0] && signal_parse(text) < 0)
		return error_set(err, -EINVAL, "unknown stop signal '%s'", text);
	m->c->stop_signal = text && text[0] ? xstrdup(text) : NULL;
	m->c->stop_timeout = m->options->stop_timeout;
	if (m->c->stop_timeout < -1)
		return error_set(err, -EINVAL,
				 "--stop-timeout wants seconds, or -1 for ever, not '%d'",
				 m->c->stop_timeout);
	return 0;
}

static int check_options(const struct container_options *o, struct error *err)
{
	for (size_t i = 0; i < o->labels.n; i++)
		if (!o->labels.items[i][0] || o->labels.items[i][0] == '=')
			return error_set(err, -EINVAL, "--label '%s': expected NAME=VALUE",
					 o->labels.items[i]);
	if (o->pid && strcmp(o->pid, "host") != 0 && (o->pid[0] != '/' || access(o->pid, F_OK) < 0))
		return error_set(err, -EINVAL,
				 "--pid '%s': expected host, or the path of a process namespace, "
				 "such as /proc/1/ns/pid",
				 o->pid);
	if (o->cidfile && access(o->cidfile, F_OK) == 0)
		return error_set(err, -EEXIST, "--cidfile %s exists; another container's?",
				 o->cidfile);
	return 0;
}

static bool has_label(const struct strv *labels, const char *name, size_t len)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strncmp(labels->items[i], name, len) == 0 &&
		    (labels->items[i][len] == '=' || labels->items[i][len] == '\0'))
			return true;
	return false;
}

/* The image's, but for those that were given. */
static void add_labels(struct making *m)
{
	const struct strv *given = &m->options->labels;
	const struct image *image = m->root.image;

	for (size_t i = 0; image && i < image->config.labels.n; i++) {
		const char *label = image->config.labels.items[i];

		if (!has_label(given, label, strcspn(label, "=")))
			strv_add(&m->c->labels, label);
	}
	strv_extend(&m->c->labels, given->items, given->n);
}

static int plan(struct making *m, struct error *err)
{
	const struct container_options *o = m->options;
	int r = check_options(o, err);

	if (r == 0)
		r = root_plan(m->engine, o, &m->root, err);
	if (r == 0 && id_new(m->c->id) < 0)
		r = error_sys(err, -EIO, "choose an ID");
	if (r < 0)
		return r;
	m->c->source = xstrdup(m->root.source);
	m->c->image_id = m->root.image ? xstrdup(m->root.image->id) : NULL;
	m->c->created_ns = clock_now_ns();
	add_labels(m);
	m->c->user = xstrdup_or_null(o->user);
	m->c->tty = o->tty;
	m->c->open_stdin = o->interactive;
	m->c->auto_remove = o->remove;
	m->dir = container_dir(m->engine, m->c->id);
	m->run_dir = container_run_dir(m->engine, m->c->id);
	r = making_network_plan(m, err);
	if (r == 0)
		r = config_command(o, &m->root, &m->c->command, err);
	if (r == 0)
		r = choose_name(m, err);
	if (r == 0)
		r = choose_hostname(m, err);
	if (r == 0)
		r = choose_stop_signal(m, err);
	return r;
}

/* record */

static int name_taken(struct making *m, struct error *err)
{
	struct db_rows rows;
	char owner[ID_SHORT_LEN + 1] = "?";
	int r = db_query(m->engine->db, &rows, NULL, "SELECT id FROM containers WHERE name = ?1",
			 "s", m->c->name);

	if (r == 0 && db_next(&rows))
		(void)snprintf(owner, sizeof(owner), "%.12s", db_text(&rows, 0));
	if (r == 0)
		ignore_result(db_finish(&rows));
	return error_set(err, -EEXIST,
			 "the name '%s' is taken by container %s; 'strake rm -f %s' frees it",
			 m->c->name, owner, m->c->name);
}

static int insert_row(struct making *m, const char *boot, uint64_t start, struct error *err)
{
	return db_run(m->engine->db, err,
		      "INSERT INTO containers (id, name, image, created, auto_remove, active, boot,"
		      " maker, maker_start) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8)",
		      "sssiisii", m->c->id, m->c->name, m->c->image_id, m->c->created_ns,
		      (int64_t)(m->options->tied    ? REMOVAL_TIED
				: m->c->auto_remove ? REMOVAL_AT_END
						    : REMOVAL_NONE),
		      boot, (int64_t)getpid(), (int64_t)start);
}

/* A name that we chose and that is taken gets a part of the ID behind it, so that there is one for
 * any number of containers; what else can be wrong is wrong again, and told then.
 */
static int record_container(struct making *m, struct error *err)
{
	char boot[BOOT_ID_LEN + 1];
	uint64_t start = 0;
	int r = boot_id(boot, err);

	if (r < 0)
		return r;
	r = process_start_time(getpid(), &start);
	if (r < 0)
		return error_sys(err, r, "read our own start time");
	r = insert_row(m, boot, start, m->options->name ? err : NULL);
	if (r < 0 && !m->options->name) {
		autofree char *drawn = steal_ptr(&m->c->name);

		m->c->name = xasprintf("%s_%.6s", drawn, m->c->id);
		r = insert_row(m, boot, start, err);
	}
	return r == -EEXIST ? name_taken(m, err) : r;
}

static int record(struct making *m, struct error *err)
{
	int r = db_begin(m->engine->db, err);

	if (r == 0)
		r = record_container(m, err);
	if (r == 0)
		r = making_network_reserve(m, err);
	if (r == 0)
		r = db_commit(m->engine->db, err);
	db_rollback(m->engine->db);
	m->recorded = r == 0;
	return r;
}

/* files */

static int make_dirs(struct making *m, struct error *err)
{
	static const char *const inner[] = { "merged", "upper", "work" };
	size_t n = m->root.kind == ROOT_BARE ? 1 : ARRAY_SIZE(inner);
	int r = 0;

	explain_name("id", m->c->id);
	explain_name("state", m->dir);
	explain_name("run", m->run_dir);
	explain_mark();
	if (explain("the container's own directory: where its root will be, and its own layer",
		    n == 1 ? "mkdir -p %1$s/merged %2$s"
			   : "mkdir -p %1$s/merged %1$s/upper %1$s/work %2$s",
		    sq(m->dir), sq(m->run_dir)))
		return 0;
	r = dir_make_at(AT_FDCWD, m->dir, 0700, err);
	if (r == 0)
		r = container_lock(m->engine, m->c->id, &m->lock_fd, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (mkdirat(m->lock_fd, inner[i], 0755) < 0)
			r = error_sys(err, -errno, "make directory %s/%s", m->dir, inner[i]);
	if (r == 0)
		r = dir_make_at(AT_FDCWD, m->run_dir, 0700, err);
	return r;
}

static int write_cidfile(const struct making *m, struct error *err)
{
	if (!m->options->cidfile || explain_dry())
		return 0;
	return file_write_named(m->options->cidfile, m->c->id, ID_LEN, 0644, err);
}

static int write_files(struct making *m, struct error *err)
{
	const struct config_request req = {
		.options = m->options,
		.root = &m->root,
		.container = m->c,
		.dir = m->dir,
		.netns = m->netns,
		.is_joined = m->is_joined,
		.hostname = m->hostname,
	};
	int r = make_dirs(m, err);

	if (r == 0)
		r = config_build(m->engine, &req, &m->config, err);
	if (r == 0)
		r = making_network_names(m, err);
	if (r == 0)
		r = supply_write(&m->options->with, m->dir, err);
	if (r < 0 || explain_dry())
		return r;
	r = json_save_at(m->lock_fd, "config.json", m->config, false, err);
	if (r == 0)
		r = container_save(m->engine, m->c, err);
	if (r == 0)
		r = write_cidfile(m, err);
	if (r == 0)
		container_event(m->engine, m->c, "create", NULL, NULL);
	return r;
}

int making_print(struct engine *engine, const struct container_options *options, json_t **ret,
		 struct error *err)
{
	struct making m = MAKING_INIT;
	struct config_request req;
	int r;

	m.engine = engine;
	m.options = options;
	m.c = xnew(struct container);
	r = plan(&m, err);
	req = (struct config_request) { .options = options,
					.root = &m.root,
					.container = m.c,
					.dir = m.dir,
					.netns = m.netns,
					.is_joined = m.is_joined,
					.hostname = m.hostname };
	if (r == 0)
		r = config_build(engine, &req, ret, err);
	making_done(&m);
	return r;
}

/* Before anything is fetched or recorded that somebody with less could not use, or take away. */
static int check_power(struct error *err)
{
	if (explain_dry() || geteuid() == 0)
		return 0;
	return error_set(err, -EPERM,
			 "needs root: namespaces, mounts, control groups and networks are made; "
			 "try it with sudo, or look at --dry-run");
}

int making_go(struct engine *engine, const struct container_options *options, struct making *ret,
	      struct error *err)
{
	int r;

	ret->engine = engine;
	ret->options = options;
	ret->c = xnew(struct container);
	/* What the container sees has the modes that are said here and in its monitor. */
	(void)umask(022);
	r = check_power(err);
	if (r == 0)
		r = plan(ret, err);
	if (r == 0)
		r = record(ret, err);
	if (r < 0)
		return r;
	r = write_files(ret, err);
	if (r == 0)
		r = making_network_attach(ret, err);
	if (r == 0)
		network_events(engine, "connect", ret->c->id);
	if (r < 0)
		making_undo(ret);
	return r;
}

void making_undo(struct making *m)
{
	if (!m->recorded || explain_dry())
		return;
	ignore_result(container_discard(m->engine, m->c->id, NULL));
	if (m->options->cidfile)
		(void)unlink(m->options->cidfile);
	m->recorded = false;
}

void making_done(struct making *m)
{
	root_done(&m->root);
	making_network_done(m);
	container_free(m->c);
	json_decref(m->config);
	free(m->hostname);
	free(m->dir);
	free(m->run_dir);
	if (m->lock_fd >= 0)
		(void)close(m->lock_fd);
}

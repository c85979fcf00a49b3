/* src/runtime/record.c */
#include "runtime/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/process.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

#define STATE_FILE   "state.json"
#define STARTED_FILE "started"

void record_done(struct record *rec)
{
	free(rec->id);
	free(rec->bundle);
	if (rec->dir_fd >= 0)
		(void)close(rec->dir_fd);
	*rec = RECORD_INIT;
}

static int check_id(const char *id, struct error *err)
{
	if (name_is_valid(id))
		return 0;
	return error_set(err, -EINVAL,
			 "container id '%s': letters, digits, and _.+- behind the first", id);
}

int record_new(const char *root, const char *id, const char *bundle, struct record *ret,
	       struct error *err)
{
	autoclose int root_fd = -1;
	struct record rec = RECORD_INIT;
	char *absolute;
	int r = check_id(id, err);

	if (r == 0)
		r = dir_ensure_at(AT_FDCWD, root, 0711, &root_fd, err);
	if (r < 0)
		return r;
	absolute = realpath(bundle, NULL);
	if (!absolute)
		return error_sys(err, -errno, "bundle %s", bundle);
	if (mkdirat(root_fd, id, 0711) < 0) {
		r = -errno;
		free(absolute);
		return r == -EEXIST ? error_set(err, r, "container with id exists already: %s", id)
				    : error_sys(err, r, "make %s/%s", root, id);
	}
	rec.id = xstrdup(id);
	rec.bundle = absolute;
	rec.created_ns = clock_now_ns();
	r = dir_open_at(root_fd, id, &rec.dir_fd, err);
	if (r < 0)
		record_done(&rec);
	else
		*ret = rec;
	return r;
}

int record_save(const struct record *rec, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_object();
	char created[CLOCK_TEXT_LEN];

	clock_format(rec->created_ns, created);
	(void)json_object_set_new(doc, "id", json_string(rec->id));
	(void)json_object_set_new(doc, "bundle", json_string(rec->bundle));
	(void)json_object_set_new(doc, "pid", json_integer(rec->pid));
	(void)json_object_set_new(doc, "startTime", json_integer((json_int_t)rec->start_time));
	(void)json_object_set_new(doc, "created", json_string(created));
	return json_save_at(rec->dir_fd, STATE_FILE, doc, false, err);
}

int record_load(const char *root, const char *id, struct record *ret, struct error *err)
{
	autofree char *dir = xasprintf("%s/%s", root, id);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct record rec = RECORD_INIT;
	struct json_reader rd;
	int r = check_id(id, err);

	if (r < 0)
		return r;
	rec.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rec.dir_fd < 0)
		return error_set(err, -errno, "container does not exist: %s", id);
	r = json_load_at(rec.dir_fd, STATE_FILE, &doc, err);
	if (r < 0 && r != -ENOENT) {
		record_done(&rec);
		return r;
	}
	json_reader_init(&rd, STATE_FILE, err);
	rec.id = xstrdup(id);
	rec.bundle = xstrdup(json_read_string(&rd, doc, "bundle", ""));
	rec.pid = (pid_t)json_read_int(&rd, doc, "pid", 0, INT32_MAX, 0);
	rec.start_time = (uint64_t)json_read_int(&rd, doc, "startTime", 0, INT64_MAX, 0);
	if (clock_parse(json_read_string(&rd, doc, "created", ""), &rec.created_ns) < 0)
		rec.created_ns = 0;
	if (rd.r < 0) {
		record_done(&rec);
		return rd.r;
	}
	*ret = rec;
	return 0;
}

int record_remove(const char *root, const char *id, struct error *err)
{
	autofree char *dir = xasprintf("%s/%s", root, id);
	int r = check_id(id, err);

	return r < 0 ? r : dir_remove_at(AT_FDCWD, dir, err);
}

int record_ids(const char *root, struct strv *ret, struct error *err)
{
	DIR *dir = opendir(root);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "open %s", root);
	while ((entry = readdir(dir)))
		if (name_is_valid(entry->d_name))
			strv_add(ret, entry->d_name);
	(void)closedir(dir);
	return 0;
}

static bool is_paused(const struct record *rec)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;

	return spec_load(rec->bundle, &spec, NULL) == 0 && instance_is_frozen(spec, rec->id);
}

enum record_status record_status(const struct record *rec)
{
	if (!process_is_alive(rec->pid, rec->start_time))
		return RECORD_STOPPED;
	if (faccessat(rec->dir_fd, STARTED_FILE, F_OK, 0) < 0)
		return RECORD_CREATED;
	return is_paused(rec) ? RECORD_PAUSED : RECORD_RUNNING;
}

const char *record_status_word(enum record_status status)
{
	static const char *const words[] = {
		[RECORD_CREATED] = "created",
		[RECORD_RUNNING] = "running",
		[RECORD_PAUSED] = "paused",
		[RECORD_STOPPED] = "stopped",
	};

	return words[status];
}

int record_mark_started(const struct record *rec, struct error *err)
{
	int fd = openat(rec->dir_fd, STARTED_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_sys(err, -errno, "note that container %s was started", rec->id);
	(void)close(fd);
	return 0;
}

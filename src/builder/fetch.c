/* src/builder/fetch.c */
#include "builder/fetch.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "builder/git_source.h"
#include "engine/engine.h"

#define HEAD_MAX 65536
#define SAID_MAX 4096
#define PIECE    (256 << 10)

struct ends {
	int in; /* the request */
	int out[2], said[2];
};

static _Noreturn void child(const char *program, const struct ends *ends)
{
	char name[] = "strake-registry", mode[] = "fetch", *argv[] = { name, mode, NULL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(ends->in, STDIN_FILENO) >= 0 && dup2(ends->out[1], STDOUT_FILENO) >= 0 &&
	    dup2(ends->said[1], STDERR_FILENO) >= 0)
		(void)execv(program, argv);
	_exit(127);
}

/* A password is in no argument that others could see. */
static int put_request(const char *url, const char *authorization, int *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_pack("{s:s}", "url", url);
	autoclose int fd = memfd_create("request", MFD_CLOEXEC);
	autofree char *text = NULL;
	int r = 0;

	if (doc && authorization)
		r = json_object_set_new(doc, "authorization", json_string(authorization));
	text = doc && r == 0 ? json_dumps(doc, JSON_COMPACT) : NULL;
	if (!text)
		return error_set(err, -EILSEQ, "the URL is not UTF-8");
	r = fd < 0 ? -errno : file_write_all(fd, text, strlen(text));
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return error_sys(err, r, "put the request into memory");
	*ret = steal_fd(&fd);
	return 0;
}

static int start(struct fetch *f, const char *program, int in, struct error *err)
{
	struct ends ends = { .in = in, .out = { -1, -1 }, .said = { -1, -1 } };
	int r = 0;

	if (pipe2(ends.out, O_CLOEXEC) < 0 || pipe2(ends.said, O_CLOEXEC) < 0)
		r = -errno;
	f->out = ends.out[0];
	f->said = ends.said[0];
	if (r == 0) {
		f->pid = fork();
		if (f->pid == 0)
			child(program, &ends);
		r = f->pid < 0 ? -errno : 0;
	}
	if (ends.out[1] >= 0)
		(void)close(ends.out[1]);
	if (ends.said[1] >= 0)
		(void)close(ends.said[1]);
	return r < 0 ? error_sys(err, r, "start %s", program) : 0;
}

/* Its verdict, once its output has ended. */
static int finish(struct fetch *f, struct error *err)
{
	autofree char *text = NULL;
	int state = 0, r = file_read_fd(f->said, "strake-registry", SAID_MAX, &text, NULL, err);

	if (r < 0)
		(void)kill(f->pid, SIGKILL);
	if (TEMP_FAILURE_RETRY(waitpid(f->pid, &state, 0)) < 0)
		r = r < 0 ? r : error_sys(err, -errno, "wait for strake-registry");
	f->pid = -1;
	if (r < 0 || (WIFEXITED(state) && WEXITSTATUS(state) == 0))
		return r;
	text_clean(text);
	return error_set(err, -EIO, "fetch %.200s: %s", f->url,
			 *text ? text : "strake-registry did not do it");
}

static int read_head(struct fetch *f, const char *line, size_t len, struct error *err)
{
	cleanup(json_cleanup) json_t *head = NULL;
	struct json_reader rd;
	const char *text;
	int r = json_load_bytes(line, len, "strake-registry's answer", &head, err);

	if (r < 0)
		return r;
	json_reader_init(&rd, "strake-registry's answer", err);
	text = json_read_string(&rd, head, "name", NULL);
	if (text && *text && !strchr(text, '/') && strcmp(text, ".") != 0 &&
	    strcmp(text, "..") != 0)
		f->name = xstrdup(text);
	text = json_read_string(&rd, head, "etag", NULL);
	if (text)
		f->etag = xstrdup(text);
	f->is_dated = json_object_get(head, "modified") != NULL;
	f->modified_s = json_read_int(&rd, head, "modified", 0, INT64_MAX / 2000000000, 0);
	return rd.r;
}

/* One line, and whatever has come behind it. */
static int wait_head(struct fetch *f, struct error *err)
{
	struct buf got = BUF_INIT(HEAD_MAX);
	const char *end = NULL;
	size_t len;
	int r = 0;

	while (!end) {
		char bytes[4096];
		ssize_t n = TEMP_FAILURE_RETRY(read(f->out, bytes, sizeof(bytes)));

		if (n <= 0) {
			buf_done(&got);
			r = finish(f, err);
			return r < 0 ? r : error_set(err, -EPROTO, "strake-registry says nothing");
		}
		buf_add(&got, bytes, (size_t)n);
		end = memchr(buf_text(&got), '\n', got.len);
		if (buf_result(&got) < 0)
			r = error_set(err, -EPROTO, "strake-registry gives no proper answer");
		if (r < 0)
			break;
	}
	if (r == 0) {
		len = (size_t)(end - buf_text(&got));
		r = read_head(f, buf_text(&got), len, err);
		f->early_len = got.len - len - 1;
		f->early = xmalloc(f->early_len + 1);
		memcpy(f->early, end + 1, f->early_len);
	}
	buf_done(&got);
	return r;
}

int fetch_open(const struct engine *engine, const char *url, const char *authorization,
	       struct fetch *ret, struct error *err)
{
	autofree char *program = engine_program(engine, "strake-registry");
	struct fetch f = FETCH_INIT;
	autoclose int in = -1;
	int r = put_request(url, authorization, &in, err);

	f.url = url_shown(url);
	if (r == 0)
		r = start(&f, program, in, err);
	if (r == 0)
		r = wait_head(&f, err);
	if (r < 0) {
		fetch_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}

int fetch_save(struct fetch *f, int fd, char ret_digest[DIGEST_HEX_LEN + 1], struct error *err)
{
	autofree char *buffer = xmalloc(PIECE);
	struct digest d;
	ssize_t n = 0;
	int r;

	digest_init(&d);
	digest_update(&d, f->early, f->early_len);
	r = file_write_all(fd, f->early, f->early_len);
	while (r == 0 && (n = TEMP_FAILURE_RETRY(read(f->out, buffer, PIECE))) > 0) {
		digest_update(&d, buffer, (size_t)n);
		r = file_write_all(fd, buffer, (size_t)n);
	}
	digest_final(&d, ret_digest);
	if (r < 0 || n < 0)
		return error_sys(err, r < 0 ? r : -errno, "keep %.200s", f->url);
	return finish(f, err);
}

void fetch_done(struct fetch *f)
{
	if (f->pid > 0) {
		(void)kill(f->pid, SIGKILL);
		(void)TEMP_FAILURE_RETRY(waitpid(f->pid, NULL, 0));
	}
	if (f->out >= 0)
		(void)close(f->out);
	if (f->said >= 0)
		(void)close(f->said);
	free(f->url);
	free(f->name);
	free(f->etag);
	free(f->early);
	*f = FETCH_INIT;
}

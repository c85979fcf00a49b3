/* src/builder/remote.c */
#include "builder/remote.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/strv.h"
#include "builder/mount_spec.h"
#include "image/incoming.h"

#define FALLBACK_NAME "download"

int checksum_parse(const char *text, const char **ret_hex, struct error *err)
{
	const char *hex = text + strlen("sha256:");

	if (strncmp(text, "sha256:", strlen("sha256:")) != 0 || strlen(hex) != DIGEST_HEX_LEN ||
	    !id_is_hex(hex))
		return error_set(err, -EINVAL,
				 "--checksum=%.100s: expected sha256: and %d hexadecimal digits",
				 text, DIGEST_HEX_LEN);
	*ret_hex = hex;
	return 0;
}

static int set_checksum(struct remote *r, const char *checksum, struct error *err)
{
	const char *hex = "";
	int got;

	if (!checksum)
		return 0;
	if (!r->is_git) {
		got = checksum_parse(checksum, &hex, err);
		if (got == 0)
			r->checksum = xstrdup(hex);
		return got;
	}
	if (strspn(checksum, "0123456789abcdef") != strlen(checksum) || strlen(checksum) < 7)
		return error_set(err, -EINVAL,
				 "--checksum=%.100s: of a git repository it is a commit, or its "
				 "first seven digits and more",
				 checksum);
	free(r->git.commit);
	r->git.commit = xstrdup(checksum);
	return 0;
}

int remote_parse(const char *text, const char *checksum, struct remote *ret, struct error *err)
{
	struct remote r = { .root = -1, .work = -1, .fetch = FETCH_INIT };
	int got = git_source_parse(text, &r.git, err);

	if (got < 0 || (got > 0 && !url_is_http(text)))
		return got;
	r.is_git = got == 0;
	r.text = xstrdup(text);
	got = set_checksum(&r, checksum, err);
	if (got < 0) {
		remote_done(&r);
		return got;
	}
	*ret = r;
	return 0;
}

/* passwords */

/* One line of it.  1: it was not given. */
static int find_secret(const struct remote_request *req, const char *id, char **ret,
		       struct error *err)
{
	size_t len;
	int got = 1;

	for (size_t i = 0; req->secrets && got > 0 && i < req->secrets->n; i++)
		got = secret_read(req->secrets->items[i], id, ret, &len, err);
	if (got == 0)
		(*ret)[strcspn(*ret, "\r\n")] = '\0';
	return got;
}

static char *base64(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text), n = 0;
	char *out = xmalloc((len + 2) / 3 * 4 + 1);

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;

		if (i + 1 < len)
			bits |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (i + 2 < len)
			bits |= (unsigned char)text[i + 2];
		out[n++] = digits[bits >> 18];
		out[n++] = digits[bits >> 12 & 63];
		out[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	out[n] = '\0';
	return out;
}

static char *as_basic(const char *token)
{
	autofree char *pair = xasprintf("x-access-token:%s", token), *code = base64(pair);

	explicit_bzero(pair, strlen(pair));
	return xasprintf("Basic %s", code);
}

/* By the names that BuildKit gave them. */
static int find_authorization(const struct remote *r, const struct remote_request *req, char **ret,
			      struct error *err)
{
	autofree char *host = url_host(r->is_git ? r->git.url : r->text), *secret = NULL;
	autofree char *file_token = xasprintf("HTTP_AUTH_TOKEN_%s", host);
	autofree char *file_header = xasprintf("HTTP_AUTH_HEADER_%s", host);
	autofree char *git_token = xasprintf("GIT_AUTH_TOKEN.%s", host);
	autofree char *git_header = xasprintf("GIT_AUTH_HEADER.%s", host);
	const char *const tokens[] = { r->is_git ? git_token : file_token,
				       r->is_git ? "GIT_AUTH_TOKEN" : NULL };
	const char *const headers[] = { r->is_git ? git_header : file_header,
					r->is_git ? "GIT_AUTH_HEADER" : NULL };
	int got = 1;

	for (size_t i = 0; got > 0 && i < ARRAY_SIZE(headers) && headers[i]; i++) {
		got = find_secret(req, headers[i], ret, err);
		if (got > 0)
			got = find_secret(req, tokens[i], &secret, err);
	}
	if (got == 0 && secret)
		*ret = r->is_git ? as_basic(secret) : xasprintf("Bearer %s", secret);
	return got < 0 ? got : 0;
}

/* looking */

static int make_work(struct remote *r, const struct remote_request *req, struct error *err)
{
	char id[ID_LEN + 1];
	autofree char *name = NULL;
	int got = r->work >= 0 ? 0 : id_new(id);

	if (got < 0 || r->work >= 0)
		return got < 0 ? error_sys(err, got, "choose a name") : 0;
	name = xasprintf("remote-%.16s", id);
	got = dir_ensure_at(req->in->tmp_fd, name, 0700, &r->work, err);
	r->work_path = xasprintf("%s/%s/%s", req->in->root, req->in->tmp_name, name);
	return got;
}

static int check_transport(const struct remote *r, const struct remote_request *req,
			   struct error *err)
{
	if (req->is_typed || !r->is_git)
		return 0;
	if (r->git.transport == GIT_FILE)
		return error_set(err, -EPERM,
				 "%.200s: a Containerfile does not reach repositories of this "
				 "machine; --build-context NAME=DIR does",
				 r->text);
	if (r->git.transport == GIT_SSH && !req->agent)
		return error_set(err, -EPERM, "%.200s: no key was given for it; --ssh default does",
				 r->text);
	return 0;
}

static int look_at_git(struct remote *r, const struct remote_request *req, struct git_request *ret,
		       char **authorization, struct error *err)
{
	int got = check_transport(r, req, err);

	if (got == 0)
		got = make_work(r, req, err);
	if (got == 0)
		got = find_authorization(r, req, authorization, err);
	*ret = (struct git_request) { .source = &r->git,
				      .work = r->work,
				      .work_path = r->work_path,
				      .authorization = *authorization,
				      .agent = req->agent,
				      .only_agent = !req->is_typed };
	return got;
}

static int open_fetch(struct remote *r, const struct remote_request *req, struct error *err)
{
	autofree char *authorization = NULL;
	int got = r->is_open ? 0 : find_authorization(r, req, &authorization, err);

	if (got == 0 && !r->is_open)
		got = fetch_open(req->engine, r->text, authorization, &r->fetch, err);
	r->is_open = got == 0;
	if (authorization)
		explicit_bzero(authorization, strlen(authorization));
	return got;
}

int remote_look(struct remote *r, const struct remote_request *req, struct error *err)
{
	autofree char *authorization = NULL;
	struct git_request git;
	int got;

	if (r->is_git) {
		got = look_at_git(r, req, &git, &authorization, err);
		if (got == 0)
			got = git_resolve(&git, &r->found, err);
		r->stands =
			*r->found.commit ? xasprintf("commit:%s", r->found.commit) : xstrdup("");
		return got;
	}
	if (r->checksum) {
		r->stands = xasprintf("sha256:%s", r->checksum);
		return 0;
	}
	got = open_fetch(r, req, err);
	r->stands = got == 0 && r->fetch.etag ? xasprintf("etag:%s", r->fetch.etag) : xstrdup("");
	return got;
}

/* bringing */

static int dress(int fd, const struct fetch *f)
{
	const struct timespec when = { .tv_sec = f->is_dated ? f->modified_s : 0 };
	const struct timespec times[] = { when, when };

	return fchmod(fd, 0600) < 0 || futimens(fd, times) < 0 ? -errno : 0;
}

static int bring_file(struct remote *r, const struct remote_request *req, struct error *err)
{
	char digest[DIGEST_HEX_LEN + 1];
	autoclose int fd = -1;
	int got = open_fetch(r, req, err);

	if (got == 0)
		got = make_work(r, req, err);
	if (got < 0)
		return got;
	r->name = url_file_name(r->fetch.url);
	if (!r->name)
		r->name = xstrdup(r->fetch.name ? r->fetch.name : FALLBACK_NAME);
	fd = openat(r->work, r->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_sys(err, -errno, "keep %.200s", r->fetch.url);
	got = fetch_save(&r->fetch, fd, digest, err);
	if (got == 0 && r->checksum && strcmp(digest, r->checksum) != 0)
		return error_set(err, -EBADMSG, "%.200s has the checksum sha256:%s, not sha256:%s",
				 r->fetch.url, digest, r->checksum);
	if (got == 0) {
		got = dress(fd, &r->fetch);
		if (got < 0)
			return error_sys(err, got, "keep %.200s", r->fetch.url);
	}
	if (got == 0)
		r->root = steal_fd(&r->work);
	return got;
}

int remote_bring(struct remote *r, const struct remote_request *req, struct error *err)
{
	autofree char *authorization = NULL;
	struct git_request git;
	int got;

	if (!r->is_git)
		return bring_file(r, req, err);
	got = look_at_git(r, req, &git, &authorization, err);
	if (got == 0)
		got = git_checkout(&git, &r->found, &r->root, err);
	r->name = xstrdup(".");
	return got;
}

void remote_forget(struct remote *r)
{
	free(r->name);
	free(r->stands);
	r->name = r->stands = NULL;
	if (r->root >= 0)
		(void)close(r->root);
	r->root = -1;
}

void remote_done(struct remote *r)
{
	fetch_done(&r->fetch);
	git_source_done(&r->git);
	free(r->text);
	free(r->checksum);
	free(r->work_path);
	if (r->work >= 0)
		(void)close(r->work);
	remote_forget(r);
	*r = (struct remote) { .root = -1, .work = -1, .fetch = FETCH_INIT };
}

/* src/disk/password.c
 *
 * A salt that is made of the date is no secret, and need not be one; made of the password it would
 * give that away, so it is not.
 */
#include "disk/password.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/digest.h"

#define LINE_MAX_LEN (CRYPT_MAX_PASSPHRASE_SIZE - 1)
#define SALT_BYTES   16

static int read_line(const char *path, char **ret, struct error *err)
{
	const char *what = strcmp(path, "-") == 0 ? "standard input" : path;
	autoclose int fd = -1;
	size_t len = 0;
	char *text;
	int r;

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return error_sys(err, -errno, "open %s", path);
	}
	r = file_read_fd(fd < 0 ? STDIN_FILENO : fd, what, LINE_MAX_LEN, &text, &len, err);
	if (r < 0)
		return r;
	text[strcspn(text, "\r\n")] = '\0';
	if (!*text) {
		free(text);
		return error_set(err, -EINVAL, "%s: the first line is empty", what);
	}
	*ret = text;
	return 0;
}

static int make_salt(const struct password_request *req, char ret[SALT_BYTES])
{
	autofree char *from = NULL;
	char hex[DIGEST_HEX_LEN + 1];

	if (!req->dated)
		return getrandom(ret, SALT_BYTES, 0) == SALT_BYTES ? 0 : -EIO;
	from = xasprintf("salt of %s at %lld", req->name, (long long)req->now_s);
	digest_bytes(from, strlen(from), hex);
	memcpy(ret, hex, SALT_BYTES);
	return 0;
}

static int hash_password(const struct password_request *req, const char *password, char **ret,
			 struct error *err)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	char salt[SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];
	int r = make_salt(req, salt);

	if (r == 0 && !crypt_gensalt_rn(req->method == PASSWORD_YESCRYPT ? "$y$" : "$6$", 0, salt,
					SALT_BYTES, setting, sizeof(setting)))
		r = -errno;
	if (r == 0 && (!crypt_r(password, setting, data) || data->output[0] == '*'))
		r = -EINVAL;
	if (r == 0)
		*ret = xstrdup(data->output);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return r < 0 ? error_sys(err, r, "hash the password of %s", req->name) : 0;
}

/* "$6$salt$hash": nothing that shadow's lines, or sed's, could take for something else. */
static int check_hash(const char *path, const char *hash, struct error *err)
{
	if (*hash == '$' && strchr(hash + 1, '$') &&
	    !hash[strspn(hash, "$./,=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789")])
		return 0;
	return error_set(err, -EINVAL,
			 "%s: its first line is no hash as 'openssl passwd -6' prints one", path);
}

int password_hash(const struct password_request *req, char **ret, struct error *err)
{
	autofree char *line = NULL;
	int r = read_line(req->path, &line, err);

	if (r < 0)
		return r;
	assert(line);
	if (req->hashed) {
		r = check_hash(req->path, line, err);
		if (r == 0)
			*ret = steal_ptr(&line);
		return r;
	}
	r = hash_password(req, line, ret, err);
	explicit_bzero(line, strlen(line));
	return r;
}

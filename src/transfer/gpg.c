/* src/transfer/gpg.c - gpgv, the part of GnuPG that only verifies: keys and message by descriptor,
 * the verdict by its status lines, which its exit status alone does not give.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "transfer/signature.h"

#define STATUS_MAX  65536
#define TEXT_MAX    (1U << 20)
#define DEADLINE_MS 20000

static int put_file(const char *name, const void *bytes, size_t len, int *ret)
{
	autoclose int fd = memfd_create(
		name, 0); /* NOLINT(android-cloexec-memfd-create): gpgv opens it by its number */
	int r = fd < 0 ? -errno : file_write_all(fd, bytes, len);

	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

/* RFC 4880, 6.2: the base64 between the blank line and the checksum. */
static char *dearmor(const char *text, size_t *ret_len)
{
	const char *start = strstr(text, "-----BEGIN PGP"), *end;
	EVP_ENCODE_CTX *ctx;
	char *out = NULL;
	int n = 0, tail = 0;

	start = start ? strstr(start, "\n\n") : NULL;
	if (!start)
		start = strstr(text, "\r\n\r\n");
	if (!start)
		return NULL;
	start += strspn(start, "\r\n");
	end = strstr(start, "\n=");
	if (!end)
		end = strstr(start, "\n-----END");
	ctx = end ? EVP_ENCODE_CTX_new() : NULL;
	if (!ctx)
		return NULL;
	out = xmalloc((size_t)(end - start) + 64);
	EVP_DecodeInit(ctx);
	if (EVP_DecodeUpdate(ctx, (unsigned char *)out, &n, (const unsigned char *)start,
			     (int)(end - start)) < 0 ||
	    EVP_DecodeFinal(ctx, (unsigned char *)out + n, &tail) < 0) {
		free(out);
		out = NULL;
	}
	EVP_ENCODE_CTX_free(ctx);
	*ret_len = (size_t)n + (size_t)tail;
	return out;
}

/* All keys in one keyring. */
static int put_keys(const char *const *keys, const size_t *lens, size_t n, int *ret)
{
	autoclose int fd =
		memfd_create("keys", 0); /* NOLINT(android-cloexec-memfd-create): the same */
	int r = fd < 0 ? -errno : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t len = lens[i];
		autofree char *plain = dearmor(keys[i], &len);

		r = plain ? file_write_all(fd, plain, len) : file_write_all(fd, keys[i], lens[i]);
	}
	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

static void gpgv_exec(int keys, int message, int out, int status)
{
	autofree char *ring = xasprintf("/proc/self/fd/%d", keys);
	autofree char *in = xasprintf("/proc/self/fd/%d", message);
	autofree char *to = xasprintf("/proc/self/fd/%d", out);
	autofree char *told = xasprintf("%d", status);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	(void)fcntl(status, F_SETFD, 0);
	(void)execlp("gpgv", "gpgv", "--keyring", ring, "--status-fd", told, "--output", to, in,
		     NULL);
	_exit(127);
}

static int run(int keys, int message, int out, struct buf *ret_status, struct error *err)
{
	int ends[2], status = 0, r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		gpgv_exec(keys, message, out, ends[1]);
	r = pid < 0 ? -errno : 0;
	(void)close(ends[1]);
	if (r == 0) {
		r = file_read_until(ends[0], clock_monotonic_ms() + DEADLINE_MS, ret_status);
		if (r < 0)
			(void)kill(pid, SIGKILL);
		(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	}
	(void)close(ends[0]);
	if (r < 0)
		return error_sys(err, r, "run gpgv");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, -EINVAL, "gpgv is not installed");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static bool has_line(const char *text, const char *word)
{
	autofree char *line = xasprintf("[GNUPG:] %s ", word);

	return strstr(text, line) != NULL;
}

/* One good signature; a key that has expired or was revoked has another word. */
static int judge(const char *status, int r, struct error *err)
{
	const char *first = strstr(status, "[GNUPG:] VALIDSIG ");

	if (r == 0 && first && !strstr(first + 1, "[GNUPG:] VALIDSIG ") &&
	    has_line(status, "GOODSIG"))
		return 0;
	if (has_line(status, "EXPKEYSIG") || has_line(status, "EXPSIG"))
		return error_set(err, -EPERM, "the signature or its key has expired");
	if (has_line(status, "REVKEYSIG"))
		return error_set(err, -EPERM, "the signature's key was revoked");
	if (has_line(status, "NO_PUBKEY"))
		return error_set(err, -EPERM, "the signature is by none of the keys");
	return error_set(err, -EPERM, "the signature is not good");
}

int gpg_verify(const char *const *keys, const size_t *key_lens, size_t nkeys, const char *message,
	       size_t len, char **ret, size_t *ret_len, struct error *err)
{
	autoclose int ring = -1;
	autoclose int in = -1;
	autoclose int out = -1;
	struct buf status = BUF_INIT(STATUS_MAX);
	int r = put_keys(keys, key_lens, nkeys, &ring);

	if (r == 0)
		r = put_file("message", message, len, &in);
	if (r == 0)
		r = put_file("text", "", 0, &out);
	if (r < 0)
		return error_sys(err, r, "put a signature into memory");
	r = run(ring, in, out, &status, err);
	if (r == 0 || r == -EPERM)
		r = judge(buf_text(&status), r, err);
	buf_done(&status);
	if (r == 0 && lseek(out, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : file_read_fd(out, "the signed text", TEXT_MAX, ret, ret_len, err);
}

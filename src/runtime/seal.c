/* src/runtime/seal.c */
#include "runtime/seal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strv.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
/* Words are bounded by execve(2) itself; this by our caller's patience. */
#define COMMAND_LINE_MAX (4U << 20)

static int copy_self(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return -errno;
	for (off_t at = 0; at < st.st_size;)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return errno ? -errno : -EIO;
	return fcntl(to, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

static int read_words(struct strv *ret, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, "/proc/self/cmdline", COMMAND_LINE_MAX, &text, &len, err);

	for (size_t at = 0; r == 0 && at < len; at += strlen(text + at) + 1)
		strv_add(ret, text + at);
	return r;
}

int seal_self(struct error *err)
{
	cleanup(strv_done) struct strv words = { 0 };
	autoclose int self = -1, copy = -1;
	int seals, r;

	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return error_sys(err, -errno, "open /proc/self/exe");
	seals = fcntl(self, F_GET_SEALS);
	if (seals >= 0 && (seals & SEALS) == SEALS)
		return 0;
	copy = memfd_create("strake-sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		return error_sys(err, -errno, "make a file in memory");
	r = copy_self(self, copy);
	if (r < 0)
		return error_sys(err, r, "copy this program into memory");
	r = read_words(&words, err);
	if (r < 0)
		return r;
	(void)syscall(SYS_execveat, copy, "", words.items, environ, AT_EMPTY_PATH);
	return error_sys(err, -errno, "execute a file in memory (sysctl vm.memfd_noexec?)");
}

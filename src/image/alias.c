/* src/image/alias.c */
#include "image/alias.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"

#define TARGET_PREFIX "../sha256/"

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

/* A rename puts it in place, so that there is always a whole one. */
static int replace(int dir, const char *sha512, const char *target, struct error *err)
{
	char id[ID_LEN + 1];
	int r = id_new(id);

	if (r < 0)
		return error_sys(err, r, "choose a name");
	if (symlinkat(target, dir, id) < 0 || renameat(dir, id, dir, sha512) < 0) {
		r = -errno;
		(void)unlinkat(dir, id, 0);
		return error_sys(err, r, "give a blob its name " ALIAS_DIR "/%.12s", sha512);
	}
	return 0;
}

int alias_set(int root_fd, const char *sha512, const char *sha256, struct error *err)
{
	char target[sizeof(TARGET_PREFIX) + DIGEST_HEX_LEN], there[DIGEST_HEX_LEN + 1];
	autoclose int dir = -1;
	int r;

	if (alias_get(root_fd, sha512, there) && strcmp(there, sha256) == 0)
		return 0;
	r = dir_ensure_at(root_fd, ALIAS_DIR, 0700, &dir, err);
	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), TARGET_PREFIX "%s", sha256);
	return replace(dir, sha512, target, err);
}

bool alias_get(int root_fd, const char *sha512, char ret[DIGEST_HEX_LEN + 1])
{
	autofree char *path = xasprintf(ALIAS_DIR "/%s", sha512);
	char target[sizeof(TARGET_PREFIX) + DIGEST_HEX_LEN + 1];
	size_t prefix = strlen(TARGET_PREFIX);
	ssize_t n = readlinkat(root_fd, path, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	if (strncmp(target, TARGET_PREFIX, prefix) != 0 ||
	    !is_hex(target + prefix, DIGEST_HEX_LEN) || faccessat(root_fd, path, F_OK, 0) < 0)
		return false;
	(void)snprintf(ret, DIGEST_HEX_LEN + 1, "%s", target + prefix);
	return true;
}

void alias_prune(int root_fd)
{
	int fd = openat(root_fd, ALIAS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	char hex[DIGEST_HEX_LEN + 1];

	while (dir && (entry = readdir(dir))) {
		autofree char *path = NULL;

		/* One of another length is what a killed alias_set() left. */
		if (entry->d_name[0] == '.' || (is_hex(entry->d_name, DIGEST512_HEX_LEN) &&
						alias_get(root_fd, entry->d_name, hex)))
			continue;
		path = file_path(fd, entry->d_name);
		if (!explain("a second name of a blob that is gone", "rm -f %s", sq(path)))
			(void)unlinkat(fd, entry->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
}

char *alias_path(const char *digest)
{
	return xasprintf("blobs/%.6s/%s", digest, digest + 7);
}

/* src/image/claim.c */
#include "image/claim.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "image/incoming.h"
#include "image/layer_info.h"
#include "image/usage.h"

#define TICK_MS      500       /* a lock that is let go gives no event of its own */
#define STANDING_MS  10000     /* without progress */
#define PROGRESS_MIN (1 << 20) /* bytes, in that time */
#define BYTES_PER_MS 1024      /* what a maker must do at least, or he is not worth waiting for */

void patience_begin(struct patience *p, int64_t bytes)
{
	int64_t now = clock_monotonic_ms();

	if (p->end_ms)
		return;
	p->end_ms = now + STANDING_MS + MAX(bytes, 0) / BYTES_PER_MS;
	p->progress_ms = now;
}

void patience_done(struct patience *p)
{
	strv_done(&p->chains);
}

bool layer_is_there(const struct incoming *in, const char *chain)
{
	autofree char *json = xasprintf("%s/layer.json", chain), *old = xasprintf("%s/size", chain);

	return faccessat(in->layers_fd, json, F_OK, 0) == 0 ||
	       faccessat(in->layers_fd, old, F_OK, 0) == 0;
}

/* What a power failure or an older strake's killed rmi left of a layer is none.  Its place is ours:
 * we have its lock.
 */
static int clear_remains(const struct incoming *in, const char *chain, struct error *err)
{
	autofree char *aside = xasprintf("remains-%s", chain);

	return renameat(in->layers_fd, chain, in->tmp_fd, aside) < 0 && errno != ENOENT
		       ? error_sys(err, -errno, "move the remains of layer %.12s aside", chain)
		       : 0;
}

static int clear(const struct incoming *in, const char *chain, int dir, struct error *err)
{
	int r = clear_remains(in, chain, err);

	if (r == 0)
		r = dir_remove_at(dir, "diff", err);
	if (r == 0 && unlinkat(dir, LAYER_FRAME, 0) < 0 && errno != ENOENT)
		r = error_sys(err, -errno, "clear a place for layer %.12s", chain);
	return r;
}

/* All that is waited for: a maker works on several layers, in his own order. */
static int64_t measure(const struct incoming *in, const struct patience *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->chains.n; i++) {
		autofree char *path = xasprintf(INCOMING_TMP "/%s", p->chains.items[i]);
		autoclose int fd = openat(in->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int64_t bytes = 0;

		if (fd >= 0 && disk_usage(fd, &bytes, NULL) == 0)
			sum += bytes;
	}
	return sum;
}

static void judge(const struct incoming *in, struct patience *p)
{
	int64_t now = clock_monotonic_ms(), bytes = measure(in, p);

	/* Less: one was published, or given up. */
	if (bytes < p->bytes || bytes - p->bytes >= PROGRESS_MIN) {
		p->bytes = bytes;
		p->progress_ms = now;
	}
	p->over = now >= p->end_ms || now - p->progress_ms >= STANDING_MS;
}

/* Until something happened in the directory: it moved, or its maker has closed it. */
static void watch(int dir)
{
	autofree char *path = xasprintf("/proc/self/fd/%d", dir);
	autoclose int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (fd >= 0)
		(void)inotify_add_watch(fd, path, IN_MOVE_SELF | IN_DELETE_SELF | IN_CLOSE_NOWRITE);
	(void)poll(&ready, 1, TICK_MS);
}

static int alone(const struct incoming *in, const char *chain, int *ret_dir, char **ret_path,
		 struct error *err)
{
	autofree char *path = xasprintf("%s/%s", in->tmp_name, chain);
	int r = dir_ensure_at(in->root_fd, path, 0700, ret_dir, err);

	if (r == 0)
		*ret_path = steal_ptr(&path);
	return r;
}

/* Its maker has published or removed it meanwhile. */
static bool has_gone(const struct incoming *in, const char *chain, const char *path, int fd)
{
	struct stat mine, there;

	return fstat(fd, &mine) < 0 ||
	       fstatat(in->root_fd, path, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
	       there.st_ino != mine.st_ino || layer_is_there(in, chain);
}

int claim_layer(const struct incoming *in, const char *chain, struct patience *patience,
		int *ret_dir, char **ret_path, struct error *err)
{
	autofree char *path = xasprintf(INCOMING_TMP "/%s", chain);

	for (;;) {
		autoclose int fd = -1;
		int r;

		if (layer_is_there(in, chain))
			return 1;
		r = dir_ensure_at(in->root_fd, path, 0700, &fd, err);
		if (r == -ENOENT) /* gone between the two steps */
			continue;
		if (r < 0)
			return r;
		if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) < 0) {
			if (errno != EWOULDBLOCK)
				return error_sys(err, -errno, "lock %s", path);
			if (patience && patience->over)
				return alone(in, chain, ret_dir, ret_path, err);
			if (patience) {
				watch(fd);
				judge(in, patience);
			}
			return -EWOULDBLOCK;
		}
		if (has_gone(in, chain, path, fd))
			continue;
		r = clear(in, chain, fd, err);
		if (r < 0)
			return r;
		*ret_dir = steal_fd(&fd);
		*ret_path = steal_ptr(&path);
		return 0;
	}
}

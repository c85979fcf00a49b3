/* src/kernel/overlay.c */
#include "kernel/overlay.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "kernel/mount.h"
#include "kernel/rootdir.h"

#define LOWERDIR_BYTES_MAX (256U * 4096) /* a path for each of the 128 layers an image may have */

static void add_escaped(struct buf *text, const char *path)
{
	for (const char *p = path; *p; p++) {
		if (*p == ':' || *p == '\\')
			buf_add_char(text, '\\');
		buf_add_char(text, *p);
	}
}

char *overlay_join(const struct strv *layers)
{
	struct buf text = BUF_INIT(LOWERDIR_BYTES_MAX);

	for (size_t i = 0; i < layers->n; i++) {
		if (i)
			buf_add_char(&text, ':');
		add_escaped(&text, layers->items[i]);
	}
	return buf_steal(&text);
}

char *overlay_escape(const char *path)
{
	struct buf text = BUF_INIT(LOWERDIR_BYTES_MAX);

	add_escaped(&text, path);
	return buf_steal(&text);
}

char *overlay_unescape(const char *value)
{
	struct buf text = BUF_INIT(LOWERDIR_BYTES_MAX);

	for (const char *p = value; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_add_char(&text, *p);
	}
	return buf_steal(&text);
}

void overlay_split(const char *lowerdir, struct strv *ret)
{
	struct buf one = BUF_INIT(LOWERDIR_BYTES_MAX);

	for (const char *p = lowerdir; *p; p++) {
		if (*p == ':') {
			strv_take(ret, buf_steal(&one));
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		buf_add_char(&one, *p);
	}
	strv_take(ret, buf_steal(&one));
}

int overlay_view(const struct strv *layers, const char *what, int *ret, struct error *err)
{
	autofree char *joined = overlay_join(layers);
	struct mount_options o = { .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
					  MOUNT_ATTR_NOEXEC };
	int r;

	/* Overlayfs wants two layers where nothing can be written; one is its own view. */
	if (layers->n == 1) {
		*ret = open(layers->items[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return *ret < 0 ? error_sys(err, -errno, "open %s", layers->items[0]) : 0;
	}
	strv_addf(&o.data, "lowerdir=%s", joined);
	r = mount_new("overlay", "strake", &o, what, ret, err);
	mount_options_done(&o);
	return r;
}

int overlay_open(int view, const char *path, int flags)
{
	return rootdir_open_at(view, path, flags, RESOLVE_IN_ROOT);
}

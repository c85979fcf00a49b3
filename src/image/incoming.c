/* src/image/incoming.c */
#include "image/incoming.h"

#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Made and locked in one step, as a check sees it: one without a lock is a dead one's. */
static int make_tmp(struct incoming *in, struct error *err)
{
	autoclose int parent = -1;
	int r = dir_ensure_at(in->root_fd, INCOMING_TMP, 0700, &parent, err);

	if (r == 0 && TEMP_FAILURE_RETRY(flock(parent, LOCK_SH)) < 0)
		r = error_sys(err, -errno, "lock the image store");
	if (r == 0)
		r = dir_ensure_at(in->root_fd, in->tmp_name, 0700, &in->tmp_fd, err);
	if (r == 0 && flock(in->tmp_fd, LOCK_EX) < 0)
		r = error_sys(err, -errno, "lock the image store");
	return r;
}

int incoming_begin(const char *root, int root_fd, struct incoming *ret, struct error *err)
{
	struct incoming in = INCOMING_INIT;
	char id[ID_LEN + 1];
	int r = id_new(id);

	/* A layer's files have the modes that it says. */
	(void)umask(022);
	in.root = root;
	in.root_fd = root_fd;
	if (r < 0)
		return error_sys(err, r, "choose a name");
	(void)snprintf(in.tmp_name, sizeof(in.tmp_name), INCOMING_TMP "/%s", id);
	r = dir_ensure_at(root_fd, "blobs/sha256", 0700, &in.blobs_fd, err);
	if (r == 0)
		r = dir_ensure_at(root_fd, "layers", 0700, &in.layers_fd, err);
	if (r == 0)
		r = make_tmp(&in, err);
	if (r < 0) {
		incoming_done(&in);
		return r;
	}
	*ret = in;
	return 0;
}

int incoming_lock(struct incoming *in, struct error *err)
{
	return TEMP_FAILURE_RETRY(flock(in->layers_fd, LOCK_SH)) < 0
		       ? error_sys(err, -errno, "lock the image store")
		       : 0;
}

int incoming_open(const char *root, int root_fd, struct incoming *ret, struct error *err)
{
	struct incoming in = INCOMING_INIT;
	int r = incoming_begin(root, root_fd, &in, err);

	if (r == 0)
		r = incoming_lock(&in, err);
	if (r < 0)
		incoming_done(&in);
	else
		*ret = in;
	return r;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void incoming_done(struct incoming *in)
{
	if (in->tmp_fd >= 0)
		ignore_result(dir_remove_at(in->root_fd, in->tmp_name, NULL));
	close_fd(&in->tmp_fd);
	close_fd(&in->layers_fd);
	close_fd(&in->blobs_fd);
}

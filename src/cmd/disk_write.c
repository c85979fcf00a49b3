/* src/cmd/disk_write.c - strake-disk write */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/explain.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "disk/blockdev.h"
#include "disk/onto.h"
#include "disk/reading.h"
#include "transfer/progress.h"

struct writing {
	const struct disk_write_args *args;
	const char *file, *path; /* of the device */
	struct disk *disk;
	struct blockdev dev;
	int fd; /* of the device; -1 */
};

/* Everything is said of it before anything is done to it. */
static int look(struct writing *w, struct error *err)
{
	const struct blockdev_view view = { NULL, NULL };
	struct stat st;

	if (stat(w->path, &st) < 0)
		return error_sys(err, -errno, "%s", w->path);
	if (S_ISREG(st.st_mode))
		return error_set(err, -ENOTBLK, "%s is a file: 'disk convert' writes files",
				 w->path);
	if (!S_ISBLK(st.st_mode))
		return error_set(err, -ENOTBLK, "%s is no block device", w->path);
	return blockdev_look(st.st_rdev, &view, &w->dev, err);
}

static int judge_size(const struct writing *w, struct error *err)
{
	char has[NUMBER_SIZE_LEN], needs[NUMBER_SIZE_LEN];

	if (w->dev.size == 0)
		return error_set(err, -ENOMEDIUM, "%s has no medium in it", w->path);
	if (w->disk->size > w->dev.size) {
		number_format_size((uint64_t)w->dev.size, has);
		number_format_size((uint64_t)w->disk->size, needs);
		return error_set(err, -ENOSPC, "%s is too small: it has %s (%lld), %s is %s (%lld)",
				 w->path, has, (long long)w->dev.size, w->file, needs,
				 (long long)w->disk->size);
	}
	if (w->dev.sector > ONTO_SECTOR && w->disk->nparts)
		return error_set(err, -EINVAL,
				 "%s has sectors of %d bytes, and the partition table of %s is for "
				 "those of %d: no machine would find them",
				 w->path, w->dev.sector, w->file, ONTO_SECTOR);
	return 0;
}

static int judge(const struct writing *w, struct error *err)
{
	const struct blockdev *b = &w->dev;

	if (b->use)
		return error_set(err, -EBUSY, "%s is in use: %s; nothing was written", w->path,
				 b->use);
	if (b->is_partition && !w->args->partition)
		return error_set(err, -EINVAL,
				 "%s is a partition: name the whole disk, or say --partition if it "
				 "is meant",
				 w->path);
	if (b->readonly)
		return error_set(err, -EROFS, "%s can only be read", w->path);
	if (!b->removable && !w->args->fixed)
		return error_set(err, -EPERM,
				 "%s is built in, neither a stick nor a card: say --fixed if it is "
				 "meant",
				 w->path);
	return 0;
}

static void show(const struct writing *w)
{
	const struct blockdev *b = &w->dev;
	char size[NUMBER_SIZE_LEN];

	number_format_size((uint64_t)b->size, size);
	(void)fprintf(stderr, "%s: %s%s%s, %s; what is on it will be lost%s\n", w->path, size,
		      *b->model ? ", " : "", b->model, b->removable ? "removable" : "built in",
		      b->nparts ? ":" : "");
	for (size_t i = 0; i < b->nparts; i++) {
		number_format_size((uint64_t)b->parts[i].size, size);
		(void)fprintf(stderr, "  %s  %s  %s\n", b->parts[i].name, size,
			      b->parts[i].contents);
	}
}

static int ask(const struct writing *w, struct error *err)
{
	char answer[8] = "", size[NUMBER_SIZE_LEN];

	if (explain_dry() || w->args->yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return error_set(err, -EINVAL,
				 "nobody to ask whether %s may be overwritten: --yes does it "
				 "without asking",
				 w->path);
	number_format_size((uint64_t)w->disk->size, size);
	(void)fprintf(stderr, "Write %s (%s) to %s? [y/N] ", w->file, size, w->path);
	if (!fgets(answer, sizeof(answer), stdin) || (answer[0] != 'y' && answer[0] != 'Y'))
		return error_set(err, -ECANCELED, "nothing was written to %s", w->path);
	return 0;
}

/* The kernel gives a device to one alone: none that is mounted anywhere, in whatever namespace, and
 * no udev or mount comes between.
 */
static int hold(struct writing *w, struct error *err)
{
	uint64_t size = 0;
	struct stat st;

	if (explain_dry())
		return 0;
	w->fd = open(w->path, O_RDWR | O_EXCL | O_DIRECT | O_CLOEXEC);
	if (w->fd < 0)
		return error_sys(err, -errno,
				 errno == EBUSY
					 ? "%s is in use, perhaps mounted where it cannot be "
					   "seen from here; nothing was written"
					 : "open %s",
				 w->path);
	if (fstat(w->fd, &st) < 0 || ioctl(w->fd, BLKGETSIZE64, &size) < 0)
		return error_sys(err, -errno, "look at %s", w->path);
	if (st.st_rdev != w->dev.number || (int64_t)size != w->dev.size)
		return error_set(err, -ESTALE, "%s is another device by now; nothing was written",
				 w->path);
	return 0;
}

static int copy(const struct writing *w, struct onto *o, struct error *err)
{
	bool silent = w->args->quiet || explain_dry();
	cleanup(progress_cleanup) struct progress *p =
		progress_new(stderr, silent ? PROGRESS_NONE : PROGRESS_AUTO);
	int r;

	progress_add(p, w->dev.name, o->size, &o->written);
	progress_start(p, "writing");
	r = onto_write(o, err);
	progress_stop(p);
	if (r < 0 || w->args->no_compare)
		return r;
	progress_add(p, w->dev.name, o->size, &o->compared);
	progress_start(p, "comparing");
	r = onto_compare(o, err);
	progress_stop(p);
	return r;
}

static int settle(const struct writing *w, struct error *err)
{
	int r = 0;

	if (w->disk->nparts && !w->dev.is_partition) {
		if (w->disk->table == TABLE_GPT &&
		    !explain("the second table belongs at the end",
			     "sfdisk -q --relocate gpt-bak-std %s", sq(w->path)))
			r = partition_move_tail(w->fd, err);
		if (!explain("what the kernel knows of it", "blockdev --rereadpt %s",
			     sq(w->path)) &&
		    r == 0 && ioctl(w->fd, BLKRRPART, 0) < 0 && errno != EINVAL)
			r = error_sys(err, -errno, "tell the kernel of the partitions");
	}
	if (r == 0 && w->fd >= 0 && fsync(w->fd) < 0)
		r = error_sys(err, -errno, "write the end of it");
	(void)explain("nothing stays beside it", "[ -z \"$work\" ] || rm -rf \"$work\"");
	return r;
}

static int go(struct writing *w, struct error *err)
{
	struct onto o = {
		.from = w->disk->fd, .size = w->disk->size, .name = w->path, .to_size = w->dev.size
	};
	int r;

	if (w->disk->format == FORMAT_RAW || w->disk->format == FORMAT_ISO)
		(void)explain("what is written", "work=; from=%s", sq(w->file));
	else
		(void)explain("its plain bytes",
			      "work=$(mktemp -d); from=$work/disk; qemu-img convert -f %s -O raw "
			      "%s \"$from\"",
			      format_qemu_name(w->disk->format), sq(w->file));
	r = hold(w, err);
	if (r < 0)
		return r;
	o.to = w->fd;
	r = copy(w, &o, err);
	if (r == 0)
		r = settle(w, err);
	return r < 0 ? error_wrap(err, r, "%s", w->path) : 0;
}

static int write_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	struct writing w = { .args = data, .file = argv[0], .path = argv[1], .fd = -1 };
	int64_t start;
	int r = look(&w, err);

	(void)globals;
	(void)argc;
	if (r == 0)
		r = judge(&w, err);
	if (r == 0)
		r = disk_open(w.file, 0, &w.disk, err);
	if (r == 0)
		r = judge_size(&w, err);
	if (r == 0 && !w.args->quiet)
		show(&w);
	if (r == 0)
		r = ask(&w, err);
	start = clock_monotonic_ms();
	if (r == 0)
		r = go(&w, err);
	if (r == 0 && !w.args->quiet && !explain_dry())
		(void)printf("%s: %lld bytes of %s%s, %lld.%03lld s\n", w.path,
			     (long long)w.disk->size, w.file,
			     w.args->no_compare ? "" : ", read back",
			     (long long)(clock_monotonic_ms() - start) / 1000,
			     (long long)(clock_monotonic_ms() - start) % 1000);
	if (w.fd >= 0)
		(void)close(w.fd);
	disk_close(w.disk);
	blockdev_done(&w.dev);
	return r;
}

const struct cmd cmd_disk_write = {
	.name = "write",
	.operands = "FILE DEVICE",
	.help = "Write a disk onto a device: a stick, a card, a disk",
	.opts = disk_write_opts,
	.args_size = sizeof(struct disk_write_args),
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = write_run,
};

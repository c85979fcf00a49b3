/* src/cmd/disk_convert.c - strake-disk convert */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/explain.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "disk/format.h"
#include "disk/iso.h"
#include "disk/output.h"
#include "disk/reading.h"

static int explain_convert(const struct disk *d, const char *from)
{
	return explain("its plain bytes", "qemu-img convert -f %s -O raw %s \"$disk\"",
		       format_qemu_name(d->format), sq(from));
}

static int copy_plain(const struct disk *d, const struct output *out, struct error *err)
{
	int r = copy_bytes(d->fd, out->fd);

	if (r == 0 && ftruncate(out->fd, d->size) < 0)
		r = -errno;
	return r < 0 ? error_sys(err, r, "write %s", out->path) : 0;
}

/* What has no table is refused by disk_open(): "convert" is for disks. */
static int convert(const struct disk *d, const char *from, enum disk_format to, struct output *out,
		   struct error *err)
{
	int r = 0;

	if (!explain_convert(d, from) && (to == FORMAT_RAW || to == FORMAT_ISO))
		r = copy_plain(d, out, err);
	if (r == 0 && to == FORMAT_ISO &&
	    !(d->nparts && iso_explain(d->parts, d->nparts, true, true)))
		r = iso_make(out->fd, err);
	else if (r == 0 && to != FORMAT_RAW && to != FORMAT_ISO)
		r = format_pack(d->fd, to, out->fd, out->name, err);
	return r < 0 ? r : output_finish(out, err);
}

/* A disk with passwords in it is no less secret when it is packed. */
static bool others_may_read(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (!S_ISREG(st.st_mode) || (st.st_mode & 077));
}

static int convert_run(const void *globals, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct disk_convert_args *args = data;
	cleanup(disk_cleanup) struct disk *d = NULL;
	struct output out = OUTPUT_INIT;
	char size[NUMBER_SIZE_LEN], used[NUMBER_SIZE_LEN];
	enum disk_format to;
	struct stat st;
	int r = format_choose(args->format, argv[1], &to, err);

	(void)globals;
	(void)argc;
	if (r == 0)
		r = disk_open(argv[0], 0, &d, err);
	if (r == 0)
		r = output_open(argv[1], others_may_read(argv[0]) ? OUTPUT_PLAIN : OUTPUT_SECRET,
				&out, err);
	if (r == 0)
		r = convert(d, argv[0], to, &out, err);
	if (r == 0 && !args->quiet && !explain_dry() && fstat(out.fd, &st) == 0) {
		number_format_size((uint64_t)d->size, size);
		number_format_size((uint64_t)st.st_blocks * 512, used);
		(void)printf("%s: %s, a disk of %s in %s\n", argv[1], format_name(to), size, used);
	}
	output_done(&out);
	return r;
}

const struct cmd cmd_disk_convert = {
	.name = "convert",
	.operands = "FILE TARGET",
	.help = "Pack a disk for another hypervisor, unpack one, or make an ISO of it",
	.opts = disk_convert_opts,
	.args_size = sizeof(struct disk_convert_args),
	.min_operands = 2,
	.max_operands = 2,
	.run_alone = convert_run,
};

/* src/cmd/disk_run.c - strake-disk run */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/explain.h"
#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "disk/attend.h"
#include "disk/emulator.h"
#include "disk/fat.h"
#include "disk/reading.h"

#define MEMORY_DEFAULT (1ULL << 30)
#define MEMORY_MIN     (64ULL << 20)
#define CPUS_MAX       255

static int choose(const struct disk_run_args *args, const char *path, struct emulator_request *req,
		  struct error *err)
{
	*req = (struct emulator_request) { .path = path,
					   .write = !args->snapshot,
					   .bus = args->bus ? args->bus : "virtio",
					   .memory = args->memory ? args->memory : MEMORY_DEFAULT,
					   .cpus = args->cpus ? args->cpus : 1,
					   .ports = args->publish,
					   .shares = args->share,
					   .monitor = -1 };
	req->uefi = args->firmware && strcmp(args->firmware, "uefi") == 0;
	if (args->firmware && !req->uefi && strcmp(args->firmware, "bios") != 0)
		return error_set(err, -EINVAL, "--firmware wants bios or uefi, not '%s'",
				 args->firmware);
	if (args->accel && strcmp(args->accel, "kvm") != 0 && strcmp(args->accel, "tcg") != 0)
		return error_set(err, -EINVAL, "--accel wants kvm or tcg, not '%s'", args->accel);
	req->kvm = args->accel ? strcmp(args->accel, "kvm") == 0 : emulator_has_kvm();
	if (args->timeout < 0)
		return error_set(err, -EINVAL, "--timeout wants seconds, not %d", args->timeout);
	if (req->write && access(path, F_OK) == 0 && access(path, W_OK) < 0)
		return error_set(err, -EACCES,
				 "%s may not be written to: with --snapshot what the machine "
				 "writes is forgotten",
				 path);
	if (req->memory < MEMORY_MIN)
		return error_set(err, -EINVAL, "--memory is less than 64m");
	if (req->cpus < 1 || req->cpus > CPUS_MAX)
		return error_set(err, -EINVAL, "--cpus wants 1 to %d", CPUS_MAX);
	return 0;
}

/* By the loader that is on it. */
static int choose_processor(const struct disk *d, const struct disk_run_args *args,
			    struct emulator_request *req, struct error *err)
{
	autofree char *files = NULL;

	if (d->esp < 0 || fat_list(d->fd, d->parts[d->esp].offset, &files, NULL) < 0)
		return 0;
	req->arm64 = strstr(files, "/BOOTAA64.EFI") && !strstr(files, "/BOOTX64.EFI");
	if (!req->arm64)
		return 0;
	if (args->firmware && !req->uefi)
		return error_set(err, -EINVAL, "--firmware: an arm64 machine has uefi alone");
	req->uefi = true;
	req->kvm = false; /* of another processor */
	return 0;
}

static void explain_command(const struct strv *argv)
{
	struct buf b = BUF_INIT(65536);

	for (size_t i = 0; i < argv->n; i++) {
		if (i)
			buf_add_char(&b, ' ');
		buf_add_shell(&b, argv->items[i]);
	}
	(void)explain("the machine, with its serial console here", "%s", buf_text(&b));
	buf_done(&b);
}

/* With a terminal, how to get out of it. */
static void say_how(const struct emulator_request *req)
{
	(void)fprintf(
		stderr, "strake: %s%s\n",
		req->kvm ? "with KVM" : "by emulation, without KVM: it is some ten times slower",
		isatty(STDIN_FILENO) ? "; Ctrl-A x ends the machine, Ctrl-A c is QEMU's prompt, "
				       "Ctrl-C goes to the machine"
				     : "");
}

static int attend(struct emulator_request *req, int timeout_s, struct error *err)
{
	cleanup(attend_close) struct attendance a = { .monitor = -1,
						      .theirs = -1,
						      .status_fd = -1 };
	struct strv command = { 0 };
	int r = attend_open(&a, err);

	if (r < 0)
		return r;
	a.timeout_s = timeout_s;
	req->monitor = a.theirs;
	req->status = a.status_fd;
	r = emulator_command(req, &command, err);
	if (r == 0) {
		say_how(req);
		r = attend_run(&a, &command, err);
	}
	strv_done(&command);
	return r;
}

static int run_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct disk_run_args *args = data;
	cleanup(disk_cleanup) struct disk *d = NULL;
	struct emulator_request req;
	struct strv command = { 0 };
	int r = choose(args, argv[0], &req, err);

	(void)globals;
	(void)argc;
	/* What is no disk is told before a firmware looks for a minute. */
	if (r == 0)
		r = disk_open(argv[0], 0, &d, err);
	if (r == 0)
		r = choose_processor(d, args, &req, err);
	if (r == 0) {
		req.format = format_qemu_name(d->format);
		r = emulator_command(&req, &command, err);
	}
	if (r == 0)
		explain_command(&command);
	strv_done(&command);
	return r < 0 || explain_dry() ? r : attend(&req, args->timeout, err);
}

const struct cmd cmd_disk_run = {
	.name = "run",
	.operands = "FILE",
	.help = "Start a disk in QEMU",
	.opts = disk_run_opts,
	.args_size = sizeof(struct disk_run_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = run_run,
};

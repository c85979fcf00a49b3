/* src/cmd/disk_build.c - strake-disk build */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/explain.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/disk_options.h"
#include "cmd/disk_root.h"
#include "cmd/globals.h"
#include "disk/machine.h"
#include "image/commit.h"

static int choose_firmware(const char *text, struct machine_request *req, struct error *err)
{
	if (!text || strcmp(text, "bios,uefi") == 0 || strcmp(text, "uefi,bios") == 0)
		req->bios = req->uefi = true;
	else if (strcmp(text, "bios") == 0)
		req->bios = true;
	else if (strcmp(text, "uefi") == 0)
		req->uefi = true;
	else
		return error_set(err, -EINVAL, "--boot wants bios, uefi or bios,uefi, not '%s'",
				 text);
	return 0;
}

static int choose_table(const char *text, struct machine_request *req, struct error *err)
{
	req->table = text && strcmp(text, "mbr") == 0 ? TABLE_MBR : TABLE_GPT;
	if (text && req->table == TABLE_GPT && strcmp(text, "gpt") != 0)
		return error_set(err, -EINVAL, "--table wants gpt or mbr, not '%s'", text);
	if (req->table == TABLE_MBR && req->format == FORMAT_ISO)
		return error_set(err, -EINVAL, "an ISO has both tables: leave --table out");
	return 0;
}

static int choose_date(const char *text, struct machine_request *req, struct error *err)
{
	uint64_t seconds;
	int64_t ns;
	int r = source_date_epoch(&req->now_s, err);

	if (r < 0)
		return r;
	if (text && number_parse(text, INT32_MAX, &seconds) == 0)
		req->now_s = (int64_t)seconds;
	else if (text && clock_parse(text, &ns) == 0)
		req->now_s = ns / 1000000000;
	else if (text)
		return error_set(err, -EINVAL,
				 "--timestamp wants seconds since 1970 or a date as "
				 "2026-11-28T12:00:00Z, not '%s'",
				 text);
	req->dated = req->now_s >= 0;
	if (!req->dated)
		req->now_s = clock_now_ns() / 1000000000;
	return 0;
}

static int choose_customisation(const struct disk_build_args *args, struct customisation *c,
				struct error *err)
{
	*c = (struct customisation) { .hostname = args->hostname,
				      .timezone = args->timezone,
				      .cloud_init = args->cloud_init,
				      .users = args->user,
				      .passwords = args->password_file,
				      .hashes = args->password_hash_file,
				      .keys = args->ssh_key };
	return network_plan_parse(args->network, &c->network, err);
}

static int choose_root(const char *text, enum appliance_root *ret, struct error *err)
{
	*ret = !text                       ? APPLIANCE_ROOT_UNSAID
	       : strcmp(text, "disk") == 0 ? APPLIANCE_ROOT_DISK
					   : APPLIANCE_ROOT_MEMORY;
	if (*ret == APPLIANCE_ROOT_MEMORY && strcmp(text, "memory") != 0)
		return error_set(err, -EINVAL, "--root-on wants memory or disk, not '%s'", text);
	return 0;
}

static int choose(const struct disk_build_args *args, struct machine_request *req,
		  struct error *err)
{
	int r;

	if (!args->output)
		return error_set(err, -EINVAL, "say where the disk goes with -o FILE");
	if (args->size % 512)
		return error_set(err, -EINVAL, "--size is no multiple of 512");
	if (args->kernel_package && !args->install_kernel)
		return error_set(err, -EINVAL, "--kernel-package goes with --install-kernel");
	if (args->install_kernel && (args->kernel || args->initrd))
		return error_set(err, -EINVAL,
				 "--install-kernel brings a kernel of its own: leave --kernel and "
				 "--initrd out");
	req->output = args->output;
	req->size = (int64_t)args->size;
	req->kernel = args->kernel;
	req->initrd = args->initrd;
	req->install_kernel = args->install_kernel;
	req->kernel_package = args->kernel_package;
	req->efi_loader = args->efi_loader;
	req->modules = args->modules;
	req->cmdline = args->cmdline;
	req->entrypoint = args->entrypoint;
	req->volumes = args->volume;
	req->env = args->env;
	r = format_choose(args->format, args->output, &req->format, err);
	if (r == 0 && req->format == FORMAT_ISO && args->size)
		return error_set(
			err, -EINVAL,
			"an ISO is as large as it has to be: --size has no meaning for it");
	if (r == 0)
		r = choose_firmware(args->boot, req, err);
	if (r == 0)
		r = choose_table(args->table, req, err);
	if (r == 0)
		r = choose_customisation(args, &req->custom, err);
	if (r == 0)
		r = choose_root(args->root_on, &req->appliance.root, err);
	if (r == 0)
		r = choose_date(args->timestamp, req, err);
	req->appliance.volumes = &req->volumes;
	req->appliance.size = req->size;
	req->appliance.now_s = req->now_s;
	return r < 0 ? r : disk_root_choose(args, &req->osroot, err);
}

static void report(const struct disk_build_args *args, const struct machine_result *made,
		   int64_t ms)
{
	char size[NUMBER_SIZE_LEN], used[NUMBER_SIZE_LEN];

	if (args->quiet || explain_dry())
		return;
	number_format_size((uint64_t)made->size, size);
	number_format_size((uint64_t)made->used, used);
	(void)printf("%s: %s, %s of it used, %s, kernel %s, %lld.%03lld s\n", args->output, size,
		     used, made->has_os ? "boots its own init" : "runs one program",
		     *made->kernel ? made->kernel : "of an unknown version", (long long)ms / 1000,
		     (long long)ms % 1000);
}

static int build_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct globals *g = globals;
	const struct disk_build_args *args = data;
	struct machine_request req = { .source = argv[0],
				       .root = g->root,
				       .run_root = g->run_root };
	struct machine_result made = { .size = 0 };
	int64_t start = clock_monotonic_ms();
	int r = choose(args, &req, err);

	strv_extend(&req.command, argv + 1, (size_t)argc - 1);
	if (r == 0)
		r = machine_build(&req, &made, err);
	strv_done(&req.command);
	disk_root_done(&req.osroot);
	if (r == 0)
		report(args, &made, clock_monotonic_ms() - start);
	return r < 0 ? r : 0;
}

const struct cmd cmd_disk_build = {
	.name = "build",
	.operands = "SOURCE [-- COMMAND...]",
	.help = "Make a disk that boots of an image, a container, a directory, an archive or one executable",
	.opts = disk_build_opts,
	.args_size = sizeof(struct disk_build_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = build_run,
};

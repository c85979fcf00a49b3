/* src/disk/fat.c */
#include "disk/fat.h"

#include "base/strv.h"
#include "disk/tool.h"

#define PACKAGE "mtools"

static void begin(struct strv *argv, const char *program, int fd, int64_t offset)
{
	strv_add(argv, program);
	strv_addf(argv, "-i/proc/self/fd/%d@@%lld", fd, (long long)offset);
}

int fat_copy_out(int fd, int64_t offset, const char *path, int to, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	begin(&argv, "mtype", fd, offset);
	strv_addf(&argv, "::%s", path);
	r = tool_write(&argv, &fd, 1, 0, PACKAGE, to, err);
	strv_done(&argv);
	return r;
}

int fat_read(int fd, int64_t offset, const char *path, char **ret, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	begin(&argv, "mtype", fd, offset);
	strv_addf(&argv, "::%s", path);
	r = tool_output(&argv, &fd, 1, PACKAGE, ret, err);
	strv_done(&argv);
	return r;
}

int fat_list(int fd, int64_t offset, char **ret, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	begin(&argv, "mdir", fd, offset);
	strv_add(&argv, "-/");
	strv_add(&argv, "-a");
	strv_add(&argv, "-b");
	strv_add(&argv, "::/");
	r = tool_output(&argv, &fd, 1, PACKAGE, ret, err);
	strv_done(&argv);
	return r;
}

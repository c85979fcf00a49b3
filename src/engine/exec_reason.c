/* src/engine/exec_reason.c */
#include "engine/exec_reason.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/elf.h"
#include "base/strv.h"
#include "kernel/overlay.h"

#define NAMES_BYTES_MAX 300 /* libraries named in one error line */
#define DEFAULT_PATH    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_inside(int view, const char *path)
{
	autoclose int fd = overlay_open(view, path, O_PATH);

	return fd >= 0;
}

/* The file that name means, as the kernel or execvp(3) would look for it; NULL: nowhere. */
static char *program_find(const struct exec_reason_request *req)
{
	const char *path = strv_env_get(req->env, "PATH");
	autofree char *copy = xstrdup(path ? path : DEFAULT_PATH);
	char *rest = copy, *dir;

	if (strchr(req->name, '/'))
		return is_inside(req->view, req->name) ? xstrdup(req->name) : NULL;
	while ((dir = strsep(&rest, ":"))) {
		autofree char *file =
			xasprintf("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, req->name);

		if (is_inside(req->view, file))
			return steal_ptr(&file);
	}
	return NULL;
}

/* A missing shell: which one is there instead, or how to look in without one. */

static bool is_shell(const char *name)
{
	static const char *const shells[] = { "sh", "bash", "ash", "dash", "zsh", "ksh", "fish" };
	const char *slash = strrchr(name, '/');

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (strcmp(slash ? slash + 1 : name, shells[i]) == 0)
			return true;
	return false;
}

static const char *other_shell(int view)
{
	static const char *const places[] = {
		"/bin/bash",   "/usr/bin/bash", "/bin/sh",
		"/usr/bin/sh", "/bin/busybox",  "/usr/bin/busybox",
		"/busybox",    "/busybox/sh",   "/usr/local/bin/bash"
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is_inside(view, places[i]))
			return places[i];
	return NULL;
}

static void explain_shell(const struct exec_reason_request *req, struct error *err)
{
	const char *other = other_shell(req->view);
	autofree char *offer =
		req->container
			? xasprintf("; 'strake debug %s' brings one from outside", req->container)
			: xstrdup("");

	if (other)
		(void)error_set(err, err->code, "%s is not inside; %s is", req->name, other);
	else
		(void)error_set(err, err->code, "no bash, sh or busybox inside%s", offer);
}

/* libraries */

static bool library_is_inside(int view, const char *name)
{
	static const char *const dirs[] = { "/lib",
					    "/usr/lib",
					    "/lib64",
					    "/usr/lib64",
					    "/usr/local/lib",
					    "/lib/x86_64-linux-gnu",
					    "/usr/lib/x86_64-linux-gnu",
					    "/lib/aarch64-linux-gnu",
					    "/usr/lib/aarch64-linux-gnu" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		autofree char *path = xasprintf("%s/%s", dirs[i], name);

		if (is_inside(view, path))
			return true;
	}
	return false;
}

static void explain_loader(const struct exec_reason_request *req, const char *file,
			   const struct elf *elf, struct error *err)
{
	struct buf names = BUF_INIT(NAMES_BYTES_MAX);

	for (size_t i = 0; i < elf->needed.n; i++)
		if (!library_is_inside(req->view, elf->needed.items[i]))
			buf_addf(&names, "%s%s", names.len ? ", " : "", elf->needed.items[i]);
	(void)error_set(err, err->code,
			"%s is dynamic: its loader %s%s%s %s not inside; link it with -static, or "
			"bring them ('strake run --bare FILE --with-libs' does)",
			file, elf->interp, names.len ? " and libraries " : "", buf_text(&names),
			names.len ? "are" : "is");
	buf_done(&names);
}

/* The interpreter of a script, or false if it is none. */
static bool script_interpreter(int fd, char ret[128])
{
	char line[128];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	char *word;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	word = line + 2 + strspn(line + 2, " \t");
	word[strcspn(word, " \t\r")] = '\0';
	(void)snprintf(ret, 128, "%s", word);
	return true;
}

static void explain_file(const struct exec_reason_request *req, const char *file, struct error *err)
{
	autoclose int fd = overlay_open(req->view, file, O_RDONLY | O_NONBLOCK);
	autofree char *path = xasprintf("/proc/self/fd/%d", fd);
	char interpreter[128];
	struct elf elf = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		(void)error_set(err, err->code, "%s is a directory", file);
		return;
	}
	if (script_interpreter(fd, interpreter)) {
		if (!is_inside(req->view, interpreter))
			(void)error_set(err, err->code,
					"%s is a script for %s, which is not inside", file,
					interpreter);
		return;
	}
	if (elf_load_at(AT_FDCWD, path, &elf, NULL) < 0)
		return;
	if (elf.machine != elf_host_machine())
		(void)error_set(err, err->code, "%s is built for %s, this host runs %s", file,
				elf_machine_name(elf.machine),
				elf_machine_name(elf_host_machine()));
	else if (elf.interp && !is_inside(req->view, elf.interp))
		explain_loader(req, file, &elf, err);
	elf_done(&elf);
}

void exec_reason(const struct exec_reason_request *req, struct error *err)
{
	autofree char *file = NULL;

	if (!err)
		return;
	file = program_find(req);
	if (file)
		explain_file(req, file, err);
	else if (is_shell(req->name))
		explain_shell(req, err);
}

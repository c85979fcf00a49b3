/* src/disk/install.c */
#include "disk/install.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "disk/filetree.h"
#include "disk/tool.h"
#include "engine/engine.h"
#include "engine/root.h"

#define RELEASE_MAX 65536U
#define SCRIPT_MAX  65536U
#define ANSWER_MAX  4096U

/* What each family's package manager is told; the first %s is the kernel, the others the init. */
struct family {
	const char *ids; /* of os-release, between blanks */
	const char *kernel, *init, *script;
};

static const struct family families[] = {
	{ " ubuntu ", "linux-image-generic", "systemd-sysv udev login",
	  "export DEBIAN_FRONTEND=noninteractive\n"
	  "apt-get -q update\n"
	  "apt-get -q -y --no-install-recommends -o DPkg::Options::=--force-unsafe-io install "
	  "%s initramfs-tools zstd e2fsprogs%s%s\n"
	  "apt-get -q clean\n" },
	{ " debian ", "linux-image-amd64", "systemd-sysv udev login",
	  "export DEBIAN_FRONTEND=noninteractive\n"
	  "apt-get -q update\n"
	  "apt-get -q -y --no-install-recommends -o DPkg::Options::=--force-unsafe-io install "
	  "%s initramfs-tools zstd e2fsprogs%s%s\n"
	  "apt-get -q clean\n" },
	/* Its init's package brings services and starts none of them. */
	{ " alpine ", "linux-lts linux-firmware-none", "alpine-base",
	  "apk add --no-cache %s mkinitfs e2fsprogs%s%s\n"
	  "if command -v rc-update >/dev/null && [ ! -e /etc/runlevels/sysinit/devfs ]; then\n"
	  "for each in devfs dmesg mdev hwdrivers; do rc-update -q add $each sysinit; done\n"
	  "for each in modules sysctl hostname bootmisc syslog; do rc-update -q add $each boot; "
	  "done\n"
	  "for each in mount-ro killprocs savecache; do rc-update -q add $each shutdown; done\n"
	  "fi\n" },
	/* An initramfs of a container's hardware would start nothing else. */
	{ " fedora rhel centos ", "kernel-core", "systemd util-linux",
	  "dnf=$(command -v dnf || command -v microdnf || command -v yum)\n"
	  "$dnf -y --setopt=install_weak_deps=0 install %s dracut e2fsprogs%s%s\n"
	  "version=$(ls /lib/modules | sort -V | tail -n 1)\n"
	  "[ -e /boot/vmlinuz-$version ] || cp /lib/modules/$version/vmlinuz "
	  "/boot/vmlinuz-$version\n"
	  "dracut --force --no-hostonly /boot/initramfs-$version.img $version\n"
	  "$dnf clean all\n" },
};

/* The values of ID and ID_LIKE, without quotes. */
static char *ids_of(const struct filetree *t)
{
	static const char *const places[] = { "etc/os-release", "usr/lib/os-release" };
	autofree char *text = NULL, *id = xstrdup(""), *like = xstrdup("");
	const struct file *f = NULL;
	char *rest, *line;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !f; i++)
		f = filetree_resolve(t, places[i], NULL);
	if (!f || !S_ISREG(f->mode) ||
	    content_read(&f->content, RELEASE_MAX, RELEASE_MAX, &text, &len, NULL) < 0)
		return xstrdup("");
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char **to = strncmp(line, "ID=", 3) == 0        ? &id
			    : strncmp(line, "ID_LIKE=", 8) == 0 ? &like
								: NULL;

		if (!to)
			continue;
		free(*to);
		line = strchr(line, '=') + 1;
		line += strspn(line, "\"'");
		line[strcspn(line, "\"'")] = '\0';
		*to = xstrdup(line);
	}
	return xasprintf("%s%s%s", id, *like ? " " : "", like);
}

static const struct family *family_of(char *ids)
{
	char *rest = ids, *id;

	/* The own name first, then those that it is like, the nearest first. */
	while ((id = strsep(&rest, " "))) {
		autofree char *word = xasprintf(" %s ", id);

		for (size_t i = 0; *id && i < ARRAY_SIZE(families); i++)
			if (strstr(families[i].ids, word))
				return &families[i];
	}
	return NULL;
}

static bool is_package_name(const char *name)
{
	return *name &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.+_:~-")] == '\0' &&
	       *name != '-';
}

int install_script(const struct filetree *t, const char *package, bool has_init, char **ret,
		   struct error *err)
{
	autofree char *ids = ids_of(t), *said = xstrdup(ids);
	const struct family *family = family_of(ids);

	if (package && !is_package_name(package))
		return error_set(err, -EINVAL, "--kernel-package: '%s' is no name of a package",
				 package);
	if (!family)
		return error_set(
			err, -ENOTSUP,
			"--install-kernel knows Debian, Ubuntu, Alpine and Fedora, and its "
			"os-release says '%s': install a kernel in the image",
			said);
	*ret = xasprintf(family->script, package ? package : family->kernel, has_init ? "" : " ",
			 has_init ? "" : family->init);
	return 0;
}

/* "strake", and the roots that it works in. */
static void our_command(const struct install_request *req, struct strv *argv)
{
	autofree char *dir = libexec_find(), *beside = xasprintf("%s/strake", dir);

	if (access(beside, X_OK) == 0)
		strv_add(argv, beside);
	else
		strv_addf(argv, "%s/../../bin/strake", dir);
	if (req->root)
		strv_addf(argv, "--root=%s", req->root);
	if (req->run_root)
		strv_addf(argv, "--run-root=%s", req->run_root);
}

/* It says how it goes on on our standard error, and on its output an image's ID. */
static int answer_of(const struct strv *argv, int in, char **ret, struct error *err)
{
	autoclose int out = memfd_create("answer", MFD_CLOEXEC);
	pid_t pid = out < 0 ? -1 : fork();
	int status, r;
	char *end;

	if (pid == 0) {
		if (dup2(out, STDOUT_FILENO) < 0 || (in >= 0 && dup2(in, STDIN_FILENO) < 0))
			_exit(126);
		(void)execvp(argv->items[0], argv->items);
		_exit(127);
	}
	if (pid < 0 || TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "run %s", argv->items[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, -EIO, "the kernel could not be installed, see above");
	if (lseek(out, 0, SEEK_SET) < 0)
		return error_sys(err, -errno, "read what %s says", argv->items[0]);
	r = file_read_fd(out, argv->items[0], ANSWER_MAX, ret, NULL, err);
	if (r < 0)
		return r;
	end = *ret + strlen(*ret);
	while (end > *ret && end[-1] == '\n')
		*--end = '\0';
	/* The last line is the ID. */
	end = strrchr(*ret, '\n');
	if (end)
		memmove(*ret, end + 1, strlen(end + 1) + 1);
	return 0;
}

/* A directory or an archive becomes an image first. */
static int import_path(const struct install_request *req, char **ret, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	our_command(req, &argv);
	strv_add(&argv, "import");
	strv_add(&argv, "--");
	strv_add(&argv, req->what);
	r = answer_of(&argv, -1, ret, err);
	strv_done(&argv);
	return r;
}

static int build(const struct install_request *req, const char *from, char **ret, struct error *err)
{
	static const char *const hosts[] = { "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
					     "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY" };
	autofree char *text =
		xasprintf("FROM %s\nUSER 0\nRUN <<'DISK'\nset -e\n%sDISK\n", from, req->script);
	autoclose int in = memfd_create("Containerfile", MFD_CLOEXEC);
	struct strv argv = { 0 };
	int r;

	r = in < 0 ? -errno : file_write_all(in, text, strlen(text));
	if (r < 0 || lseek(in, 0, SEEK_SET) < 0)
		return error_sys(err, r < 0 ? r : -errno, "write a Containerfile");
	our_command(req, &argv);
	strv_add(&argv, "build");
	strv_add(&argv, "--network=host");
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (getenv(hosts[i]))
			strv_addf(&argv, "--build-arg=%s", hosts[i]);
	strv_add(&argv, "-");
	r = answer_of(&argv, in, ret, err);
	strv_done(&argv);
	return r;
}

int install_run(const struct install_request *req, struct strv *made, struct error *err)
{
	autofree char *imported = NULL, *built = NULL;
	int r = 0;

	if (explain_dry())
		return error_set(err, -ENOTSUP,
				 "what --install-kernel brings is only known when it is done: "
				 "install it by 'strake build', then --dry-run with that image");
	(void)explain_note("a kernel by the image's own package manager:\n%s", req->script);
	if (root_is_path(req->what)) {
		r = import_path(req, &imported, err);
		if (r < 0)
			return r;
		strv_add(made, imported);
	}
	r = build(req, imported ? imported : req->what, &built, err);
	if (r == 0)
		strv_add(made, built);
	return r;
}

void install_forget(const struct install_request *req, const struct strv *made)
{
	struct strv argv = { 0 };

	if (made->n == 0)
		return;
	our_command(req, &argv);
	strv_add(&argv, "rmi");
	for (size_t i = made->n; i > 0; i--)
		strv_add(&argv, made->items[i - 1]);
	/* What could not be removed is an image like any other. */
	(void)!tool_run(&argv, NULL, 0, 0, "strake", NULL);
	strv_done(&argv);
}

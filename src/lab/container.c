/* src/lab/container.c */
#include "lab/container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/strv.h"
#include "lab/names.h"

#define SCRIPT_MAX (1U << 16)

/* The front command: beside us in the build tree, else in PREFIX/bin when we are in
 * PREFIX/libexec/strake.
 */
static char *front_find(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash, *beside;

	if (n <= 0)
		return xstrdup("strake");
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	beside = xasprintf("%s/strake", self);
	if (access(beside, X_OK) == 0)
		return beside;
	free(beside);
	return xasprintf("%s/../../bin/strake", self);
}

static void begin(struct strv *argv, const char *root, const char *run_root)
{
	strv_take(argv, front_find());
	if (root)
		strv_addf(argv, "--root=%s", root);
	if (run_root)
		strv_addf(argv, "--run-root=%s", run_root);
}

/* What it says is for whoever raises the lab; its ID is not. */
static int run(const struct strv *argv, bool quiet)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

		(void)dup2(nothing, STDIN_FILENO);
		(void)dup2(nothing, STDOUT_FILENO);
		if (quiet)
			(void)dup2(nothing, STDERR_FILENO);
		(void)execvp(argv->items[0], argv->items);
		_exit(127);
	}
	if (pid < 0 || TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

static char *beside_file(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - file), file, path);
}

static void add_root(struct strv *argv, const struct node *node, const char *file)
{
	autofree char *path = NULL;

	if (node->image) {
		strv_add(argv, node->image);
		return;
	}
	path = beside_file(file, node->directory ? node->directory : node->bare);
	strv_addf(argv, "--%s=%s", node->directory ? "rootfs" : "bare", path);
	if (node->bare)
		strv_add(argv, "--with-libs");
	strv_add(argv, "--");
}

static void narrate(const struct strv *argv)
{
	struct buf text = BUF_INIT(SCRIPT_MAX);

	buf_add_str(&text, "strake");
	for (size_t i = 1; i < argv->n; i++) {
		buf_add_char(&text, ' ');
		buf_add_shell(&text, argv->items[i]);
	}
	(void)explain("a container in that network", "%s", buf_text(&text));
	buf_done(&text);
}

static int start(const struct raised *raised, size_t n, const struct container_site *site,
		 struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	autofree char *hosts = lab_names_hosts(site->dir, node),
		      *resolv = lab_names_resolv(site->dir, node);
	cleanup(strv_done) struct strv argv = { 0 };
	int r;

	begin(&argv, site->root, site->run_root);
	strv_add(&argv, "run");
	strv_add(&argv, "-d");
	strv_add(&argv, "--rm");
	strv_addf(&argv, "--name=%s", raised->names[n]);
	strv_addf(&argv, "--hostname=%s", node->name);
	if (explain_dry()) {
		strv_addf(&argv, "--network=/run/netns/%s", raised->names[n]);
	} else {
		strv_addf(&argv, "--network=/proc/%d/fd/%d", site->keeper, raised->ns[n].fd);
		strv_addf(&argv, "--pid=/proc/%d/ns/pid", site->keeper);
		strv_addf(&argv, "--volume=%s:/etc/hosts:ro", hosts);
		if (resolv)
			strv_addf(&argv, "--volume=%s:/etc/resolv.conf:ro", resolv);
	}
	add_root(&argv, node, site->file);
	strv_extend(&argv, node->command.items, node->command.n);
	narrate(&argv);
	if (explain_dry())
		return 0;
	r = run(&argv, false);
	return r < 0 ? error_set(err, r, "node %s: its container did not start", node->name) : 0;
}

int container_start_all(const struct raised *raised, const struct container_site *site,
			struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++)
		if (raised->topology->nodes[i].kind == NODE_CONTAINER)
			r = start(raised, i, site, err);
	return r;
}

void container_stop_all(const struct topology *t, const char *root, const char *run_root)
{
	for (size_t i = 0; i < t->n_nodes; i++) {
		cleanup(strv_done) struct strv argv = { 0 };

		if (t->nodes[i].kind != NODE_CONTAINER)
			continue;
		begin(&argv, root, run_root);
		strv_add(&argv, "rm");
		strv_add(&argv, "-f");
		strv_addf(&argv, "%s-%s", t->name, t->nodes[i].name);
		ignore_result(run(&argv, true)); /* it may be gone by itself */
	}
}

_Noreturn void container_exec(const char *name, const char *root, const char *run_root,
			      char *const *argv)
{
	struct strv all = { 0 };

	begin(&all, root, run_root);
	strv_add(&all, "exec");
	strv_add(&all, isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? "-it" : "-i");
	strv_add(&all, name);
	for (; *argv; argv++)
		strv_add(&all, *argv);
	(void)execvp(all.items[0], all.items);
	(void)fprintf(stderr, "strake lab: run %s: %s\n", all.items[0], strerror(errno));
	_exit(126);
}

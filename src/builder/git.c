/* src/builder/git.c */
#include "builder/git.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/walk.h"
#include "builder/git_source.h"
#include "builder/helper.h"
#include "kernel/rootdir.h"

#define DEADLINE_MS (30 * 60 * 1000LL)
#define TREE        "tree"
#define CONFIG      "gitconfig"

/* No repository of ours is there when the first command runs, so this is all the configuration. */
#define SETTINGS                                                                                   \
	"[safe]\n\tdirectory = *\n"                                                                \
	"[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tautocrlf = false\n"               \
	"[http]\n\tlowSpeedLimit = 1000\n\tlowSpeedTime = 60\n"                                    \
	"[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"                                        \
	"[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"

struct git {
	const struct git_request *req;
	struct strv env;
	int64_t deadline_ms;
	bool as_caller;
	struct error *err;
};

static bool is_hex(const char *text, size_t least)
{
	size_t len = strspn(text, "0123456789abcdef");

	return !text[len] && len >= least && len <= GIT_COMMIT_LEN;
}

/* running */

static int run(struct git *g, char **ret, ...)
{
	struct strv argv = { 0 };
	struct helper h = { .argv = &argv,
			    .env = &g->env,
			    .confine = { .dir = g->req->work, .keeps_user = g->as_caller },
			    .deadline_ms = g->deadline_ms,
			    .package = "git" };
	const char *word;
	va_list ap;
	int r;

	strv_add(&argv, "git");
	va_start(ap, ret);
	while ((word = va_arg(ap, const char *)))
		strv_add(&argv, word);
	va_end(ap);
	r = helper_run(&h, ret, g->err);
	strv_done(&argv);
	return r;
}
/* In the tree. */
#define run_in(g, ret, ...) run(g, ret, "-C", TREE, __VA_ARGS__, (char *)NULL)

static const char *allowed(const struct git_source *s, bool of_submodules)
{
	static const char *const names[] = { [GIT_HTTP] = "http:https",
					     [GIT_DAEMON] = "git:http:https",
					     [GIT_SSH] = "ssh:http:https",
					     [GIT_FILE] = "file" };

	/* A repository may not name another one of this machine. */
	return of_submodules && s->transport == GIT_FILE ? "http:https" : names[s->transport];
}

static void allow(struct git *g, bool of_submodules)
{
	autofree char *text =
		xasprintf("GIT_ALLOW_PROTOCOL=%s", allowed(g->req->source, of_submodules));

	strv_env_set(&g->env, text);
}

/* With keys that were given for it, and no others. */
static void set_ssh(struct git *g)
{
	const char *agent = g->req->agent ? g->req->agent : getenv("SSH_AUTH_SOCK");

	strv_addf(&g->env,
		  "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=30 "
		  "-o ServerAliveInterval=15 -o ServerAliveCountMax=4%s",
		  g->req->only_agent ? " -F none -o IdentityFile=none" : "");
	if (agent && (!g->req->only_agent || g->req->agent))
		strv_addf(&g->env, "SSH_AUTH_SOCK=%s", agent);
}

static void set_authorization(struct git *g)
{
	autofree char *host = url_host(g->req->source->url);
	const char *scheme = g->req->source->url;

	strv_add(&g->env, "GIT_CONFIG_COUNT=1");
	strv_addf(&g->env, "GIT_CONFIG_KEY_0=http.%.*s://%s/.extraHeader",
		  (int)strcspn(scheme, ":"), scheme, host);
	strv_addf(&g->env, "GIT_CONFIG_VALUE_0=Authorization: %s", g->req->authorization);
}

static int begin(struct git *g)
{
	const struct git_source *s = g->req->source;
	int r = file_write_at(g->req->work, CONFIG, SETTINGS, strlen(SETTINGS), 0644, FILE_PLAIN,
			      g->err);

	g->as_caller = s->transport == GIT_SSH || s->transport == GIT_FILE || !confine_may_hide();
	g->deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
	helper_env(&g->env);
	strv_add(&g->env, "GIT_CONFIG_NOSYSTEM=1");
	strv_add(&g->env, "GIT_TERMINAL_PROMPT=0");
	strv_add(&g->env, "GIT_ASKPASS=/bin/false");
	strv_addf(&g->env, "GIT_CONFIG_GLOBAL=%s/" CONFIG,
		  g->as_caller ? g->req->work_path : CONFINE_PLACE);
	strv_addf(&g->env, "HOME=%s", g->as_caller && getenv("HOME") ? getenv("HOME") : "/");
	allow(g, false);
	if (s->transport == GIT_SSH)
		set_ssh(g);
	if (g->req->authorization && s->transport == GIT_HTTP)
		set_authorization(g);
	if (r == 0 && !g->as_caller && fchown(g->req->work, CONFINE_NOBODY, CONFINE_NOBODY) < 0 &&
	    errno != EINVAL)
		r = error_sys(g->err, -errno, "give git a directory");
	return r;
}

static int finish(struct git *g, int r)
{
	autofree char *shown = url_shown(g->req->source->url);

	strv_done(&g->env);
	return r < 0 ? error_wrap(g->err, r, "git %.200s", shown) : 0;
}

/* which commit */

/* The line of a name in "COMMIT\tNAME\n..."; false: there is none. */
static bool find_line(const char *list, const char *name, char ret[GIT_COMMIT_LEN + 1])
{
	size_t len = strlen(name);

	while (*list) {
		size_t line = strcspn(list, "\n"), hex = strcspn(list, "\t");

		if (hex < line && hex <= GIT_COMMIT_LEN && line - hex - 1 == len &&
		    strncmp(list + hex + 1, name, len) == 0) {
			memcpy(ret, list, hex);
			ret[hex] = '\0';
			return is_hex(ret, 40);
		}
		list += line + (list[line] == '\n');
	}
	return false;
}

/* As git itself reads a short name: tags come before branches, and a tag stands for its commit. */
static bool choose_name(const char *list, const char *ref, struct git_found *ret)
{
	static const char *const places[] = { "%s", "refs/tags/%s", "refs/heads/%s", "refs/%s" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		autofree char *whole = xasprintf(places[i], ref);
		autofree char *peeled = xasprintf("%s^{}", whole);
		char tag[GIT_COMMIT_LEN + 1];

		if (i == 0 && strcmp(ref, "HEAD") != 0 && strncmp(ref, "refs/", 5) != 0)
			continue;
		if (strlen(whole) >= sizeof(ret->name) || !find_line(list, whole, tag))
			continue;
		if (!find_line(list, peeled, ret->commit))
			memcpy(ret->commit, tag, sizeof(tag));
		memcpy(ret->name, whole, strlen(whole) + 1);
		return true;
	}
	return false;
}

static int resolve(struct git *g, struct git_found *ret)
{
	const char *ref = g->req->source->ref ? g->req->source->ref : "HEAD";
	autofree char *peeled = xasprintf("%s^{}", ref), *list = NULL;
	int r;

	*ret = (struct git_found) { .name = "" };
	if (is_hex(ref, 40) && (strlen(ref) == 40 || strlen(ref) == GIT_COMMIT_LEN)) {
		memcpy(ret->commit, ref, strlen(ref) + 1);
		return 0;
	}
	r = run(g, &list, "ls-remote", "-q", "--", g->req->source->url, ref, peeled, (char *)NULL);
	if (r < 0 || choose_name(list, ref, ret) || is_hex(ref, 7))
		return r;
	return error_set(g->err, -ENOENT, "there is no branch, tag or commit %.100s", ref);
}

static int check_commit(struct git *g, const char *commit)
{
	const char *want = g->req->source->commit;

	if (!want || !*commit || strncmp(commit, want, strlen(want)) == 0)
		return 0;
	return error_set(g->err, -EBADMSG, "commit %.64s was wanted, and it is %s", want, commit);
}

int git_resolve(const struct git_request *req, struct git_found *ret, struct error *err)
{
	struct git g = { .req = req, .err = err };
	int r = begin(&g);

	if (r == 0)
		r = resolve(&g, ret);
	if (r == 0)
		r = check_commit(&g, ret->commit);
	return finish(&g, r);
}

/* files */

/* A server that has no shallow copies, or gives no commit by its number, gives all. */
static int fetch(struct git *g, const struct git_found *found)
{
	const char *url = g->req->source->url;
	const char *what = *found->name ? found->name : found->commit;
	autofree char *spec = xasprintf("+%s:refs/strake/it", what);

	if (*what && run_in(g, NULL, "fetch", "-q", "--no-tags", "--depth=1", "--", url, spec) == 0)
		return 0;
	if (*found->name)
		return run_in(g, NULL, "fetch", "-q", "--no-tags", "--", url, spec);
	return run_in(g, NULL, "fetch", "-q", "--tags", "--", url,
		      "+refs/heads/*:refs/remotes/origin/*");
}

static int find_commit(struct git *g, struct git_found *found)
{
	const char *ref = *found->name     ? "refs/strake/it"
			  : *found->commit ? found->commit
					   : g->req->source->ref;
	autofree char *peeled = xasprintf("%s^{commit}", ref), *text = NULL;
	int r = run_in(g, &text, "rev-parse", "--verify", "-q", peeled);

	if (r < 0)
		return error_set(g->err, -ENOENT, "there is no commit %.100s", ref);
	text[strcspn(text, "\n")] = '\0';
	if (!is_hex(text, 40))
		return error_set(g->err, -EPROTO, "git gives no commit");
	if (*found->commit && strcmp(text, found->commit) != 0)
		return error_set(g->err, -ESTALE, "%.100s has changed meanwhile; build again",
				 g->req->source->ref ? g->req->source->ref : "HEAD");
	memcpy(found->commit, text, strlen(text) + 1);
	return 0;
}

static int add_submodules(struct git *g)
{
	struct stat st;
	int r;

	if (g->req->source->no_submodules ||
	    fstatat(g->req->work, TREE "/.gitmodules", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	allow(g, true);
	r = run_in(g, NULL, "submodule", "-q", "update", "--init", "--recursive", "--depth=1");
	if (r < 0)
		r = run_in(g, NULL, "submodule", "-q", "update", "--init", "--recursive");
	return r;
}

static int find_links(void *data, const struct walk_entry *e, struct error *err)
{
	const char *slash = strrchr(e->path, '/');

	(void)err;
	if (strcmp(slash ? slash + 1 : e->path, ".git") == 0)
		strv_add(data, e->path);
	return 0;
}

/* What says where a submodule's repository was. */
static int drop_git(struct git *g, int tree)
{
	struct strv links = { 0 };
	int r = dir_remove_at(tree, ".git", g->err);

	if (r == 0 && faccessat(tree, ".gitmodules", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = walk_tree(tree, find_links, NULL, &links, g->err);
	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (unlinkat(tree, links.items[i], 0) < 0)
			r = error_sys(g->err, -errno, "remove %s", links.items[i]);
	strv_done(&links);
	return r;
}

static int open_dir(struct git *g, int tree, int *ret)
{
	const char *dir = g->req->source->dir;
	int fd = rootdir_open_at(tree, dir ? dir : "", O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);

	if (fd < 0)
		return error_set(g->err, fd, "there is no directory %.200s in it", dir ? dir : "/");
	*ret = fd;
	return 0;
}

static int check_out(struct git *g, const char *commit, int *ret)
{
	autofree char *shown = url_shown(g->req->source->url);
	autoclose int tree = -1;
	int r = run_in(g, NULL, "checkout", "-q", "--detach", commit);

	if (r == 0)
		r = add_submodules(g);
	/* A password is not to be found in the image. */
	if (r == 0 && g->req->source->keeps_git_dir)
		r = run_in(g, NULL, "remote", "set-url", "origin", shown);
	if (r == 0)
		r = dir_open_at(g->req->work, TREE, &tree, g->err);
	if (r == 0 && !g->req->source->keeps_git_dir)
		r = drop_git(g, tree);
	return r < 0 ? r : open_dir(g, tree, ret);
}

int git_checkout(const struct git_request *req, struct git_found *found, int *ret,
		 struct error *err)
{
	struct git g = { .req = req, .err = err };
	int r = begin(&g);

	if (r == 0)
		r = run(&g, NULL, "init", "-q", "--template=", TREE, (char *)NULL);
	if (r == 0)
		r = run_in(&g, NULL, "remote", "add", "origin", req->source->url);
	if (r == 0)
		r = fetch(&g, found);
	if (r == 0)
		r = find_commit(&g, found);
	if (r == 0)
		r = check_commit(&g, found->commit);
	if (r == 0)
		r = check_out(&g, found->commit, ret);
	return finish(&g, r);
}

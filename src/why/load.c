/* src/why/load.c */
#include "why/load.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "why/inside.h"
#include "why/nft_read.h"
#include "why/ruleset.h"
#include "why/xt_read.h"

/* files */

struct document {
	char *text;
	size_t len;
	const char *what;
};

static int read_document(struct document *d, const char *path, struct error *err)
{
	if (strcmp(path, "-") == 0) {
		d->what = "standard input";
		return file_read_fd(STDIN_FILENO, d->what, LOAD_SIZE_MAX, &d->text, &d->len, err);
	}
	d->what = path;
	return file_read_at(AT_FDCWD, path, LOAD_SIZE_MAX, &d->text, &d->len, err);
}

static bool is_xt(const struct document *d)
{
	return xt_looks_like(d->text, d->len);
}

static int read_json(struct ruleset *rs, const struct document *d, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = json_load_bytes(d->text, d->len, d->what, &doc, err);

	return r < 0 ? r : nft_read(rs, doc, d->what, err);
}

static int read_xt(struct ruleset *rs, const struct document *d, struct error *err)
{
	const struct xt_said said = { .text = d->text, .len = d->len, .what = d->what };

	return xt_read(rs, &said, err);
}

int load_files(struct ruleset *ret, char *const *paths, size_t n, struct error *err)
{
	struct document *docs = xcalloc(n + 1, sizeof(*docs));
	struct ruleset rs;
	int r = 0;

	ruleset_init(&rs);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_document(&docs[i], paths[i], err);
	/* Whatever iptables-save tells again, nft has told first. */
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!is_xt(&docs[i]))
			r = read_json(&rs, &docs[i], err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_xt(&docs[i]))
			r = read_xt(&rs, &docs[i], err);
	if (r == 0)
		r = ruleset_finish(&rs, err);
	for (size_t i = 0; i < n; i++)
		free(docs[i].text);
	free(docs);
	if (r < 0)
		ruleset_done(&rs);
	else
		*ret = rs;
	return r;
}

/* the kernel */

static const struct program {
	const char *argv[5];
	const char *package;
	enum family family;
	enum backend backend;
	const char *needed_for; /* file of /proc/net that names tables; NULL: look at nft's */
} programs[] = {
	{ { "nft", "-j", "list", "ruleset", NULL }, "nftables", FAMILY_INET, BACKEND_NFT, NULL },
	{ { "iptables-nft-save", "-c", NULL }, "iptables", FAMILY_IP, BACKEND_XT_NFT, NULL },
	{ { "ip6tables-nft-save", "-c", NULL }, "iptables", FAMILY_IP6, BACKEND_XT_NFT, NULL },
	{ { "ebtables-nft-save", NULL }, "iptables", FAMILY_BRIDGE, BACKEND_XT_NFT, NULL },
	{ { "iptables-legacy-save", "-c", NULL },
	  "iptables",
	  FAMILY_IP,
	  BACKEND_LEGACY,
	  "/proc/thread-self/net/ip_tables_names" },
	{ { "ip6tables-legacy-save", "-c", NULL },
	  "iptables",
	  FAMILY_IP6,
	  BACKEND_LEGACY,
	  "/proc/thread-self/net/ip6_tables_names" },
};

static void in_child(const struct program *p, int netns_fd, int out)
{
	int null = open("/dev/null", O_RDWR); /* NOLINT(android-cloexec-open): the program's */

	if ((netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) < 0) || null < 0 ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)execvp(p->argv[0], (char *const *)p->argv);
	_exit(127);
}

/* A program at work, and the file that it prints to. */
struct job {
	const struct program *program;
	pid_t pid; /* 0: none */
	int out;
};

static int job_start(const struct program *p, int netns_fd, struct job *ret, struct error *err)
{
	autoclose int out = memfd_create("rules", MFD_CLOEXEC);
	pid_t pid;

	if (out < 0)
		return error_sys(err, -errno, "run %s", p->argv[0]);
	pid = fork();
	if (pid == 0)
		in_child(p, netns_fd, out);
	if (pid < 0)
		return error_sys(err, -errno, "run %s", p->argv[0]);
	*ret = (struct job) { p, pid, steal_fd(&out) };
	return 0;
}

static int job_wait(struct job *job, struct error *err)
{
	const struct program *p = job->program;
	pid_t pid = job->pid;
	int status;

	job->pid = 0;
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", p->argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, -ENOENT, "%s is not installed (package %s)", p->argv[0],
				 p->package);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
		return error_set(err, -EPERM, "this user may not enter that network namespace");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, -EPERM,
				 "%s cannot read the rules: run as root, or name a file of them",
				 p->argv[0]);
	if (lseek(job->out, 0, SEEK_SET) < 0)
		return error_sys(err, -errno, "read what %s says", p->argv[0]);
	return 0;
}

static void job_done(struct job *job)
{
	if (job->pid > 0)
		(void)TEMP_FAILURE_RETRY(waitpid(job->pid, NULL, 0));
	if (job->program)
		(void)close(job->out);
}

static int job_read(struct job *job, struct document *ret, struct error *err)
{
	int r = job_wait(job, err);

	ret->what = job->program->argv[0];
	return r < 0 ? r
		     : file_read_fd(job->out, ret->what, LOAD_SIZE_MAX, &ret->text, &ret->len, err);
}

static bool has_foreign(const struct ruleset *rs, enum family family)
{
	static const char *const names[] = {
		"filter", "nat", "mangle", "raw", "security", "broute"
	};
	struct table *t;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((t = ruleset_table(rs, family, names[i], BACKEND_NFT)))
			for (size_t k = 0; k < t->nchains; k++)
				if (strcmp(t->chains[k]->name, "INPUT") == 0 ||
				    strcmp(t->chains[k]->name, "OUTPUT") == 0 ||
				    strcmp(t->chains[k]->name, "FORWARD") == 0 ||
				    strcmp(t->chains[k]->name, "PREROUTING") == 0 ||
				    strcmp(t->chains[k]->name, "POSTROUTING") == 0)
					return true;
	return false;
}

static int read_names(void *data, struct error *err)
{
	const char *const *file = data;
	autofree char *names = NULL;
	int r = file_read_at(AT_FDCWD, *file, 4096, &names, NULL, err);

	return r < 0 ? r : *names != '\0';
}

/* Looking is not free: without tables, iptables-legacy-save would have modules loaded. */
static bool is_started(const struct program *p, int netns_fd)
{
	const char *file = p->needed_for;

	return !file || inside(netns_fd, read_names, &file, NULL) > 0;
}

static int load_job(struct ruleset *rs, struct job *job, struct error *err)
{
	const struct program *p = job->program;
	struct document d = { 0 };
	struct xt_said said;
	int r;

	if (p->backend == BACKEND_XT_NFT && !has_foreign(rs, p->family))
		return 0;
	r = job_read(job, &d, err);
	if (r == -ENOENT && p->backend != BACKEND_NFT)
		r = 0; /* its rules stay as nft shows them: with what it does not know named so */
	else if (r == 0 && p->backend == BACKEND_NFT)
		r = read_json(rs, &d, err);
	else if (r == 0) {
		said = (struct xt_said) { .text = d.text,
					  .len = d.len,
					  .what = d.what,
					  .is_known = true,
					  .family = p->family,
					  .backend = p->backend };
		r = xt_read(rs, &said, err);
	}
	free(d.text);
	return r;
}

/* All programs at once: each spends its time in the kernel's locks, not on ours. */
static int load_all(struct ruleset *rs, int netns_fd, struct error *err)
{
	struct job jobs[ARRAY_SIZE(programs)] = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(programs); i++)
		if (is_started(&programs[i], netns_fd))
			r = job_start(&programs[i], netns_fd, &jobs[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(programs); i++)
		if (jobs[i].program)
			r = load_job(rs, &jobs[i], err);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		job_done(&jobs[i]);
	return r;
}

static void warn_of_both(const struct ruleset *rs, char ret[LOAD_WARNING_LEN])
{
	bool legacy = false, modern = false;

	for (size_t i = 0; i < rs->n; i++) {
		legacy |= rs->tables[i]->backend == BACKEND_LEGACY;
		modern |= rs->tables[i]->backend == BACKEND_XT_NFT;
	}
	ret[0] = '\0';
	if (legacy && modern)
		(void)snprintf(ret, LOAD_WARNING_LEN,
			       "both back ends of iptables have rules: a packet meets those of "
			       "iptables-nft and those of iptables-legacy, and each program shows "
			       "its own only");
}

int load_live(struct ruleset *ret, int netns_fd, char ret_warning[LOAD_WARNING_LEN],
	      struct error *err)
{
	struct ruleset rs;
	int r;

	ruleset_init(&rs);
	r = load_all(&rs, netns_fd, err);
	if (r == 0)
		r = ruleset_finish(&rs, err);
	if (r < 0) {
		ruleset_done(&rs);
		return r;
	}
	warn_of_both(&rs, ret_warning);
	*ret = rs;
	return 0;
}

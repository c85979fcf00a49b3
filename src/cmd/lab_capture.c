/* src/cmd/lab_capture.c - strake-lab capture: frames of any interfaces, in the order of time. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/lab_look_options.h"
#include "cmd/lab_print.h"
#include "lab/domains.h"
#include "lab/observe.h"
#include "lab/pcap.h"

#define LAST_MS 3000 /* for what is still under way when the command ends */

struct capture {
	const struct lab_capture_args *args;
	struct lab *lab;
	struct observer *o;
	struct sights sights;
	bool *nodes;           /* that are heard */
	struct link_end *ends; /* NULL: all of these nodes */
	size_t n_ends;
	FILE *file; /* pcap; NULL: lines */
	int64_t start_ns;
	uint64_t shown, lost;
	int signals;
	pid_t child;
	int failed; /* errno of a write */
};

/* "h1", all of it; "h1:eth0". */
static int choose(struct capture *c, int n, char **what, struct error *err)
{
	const struct topology *t = c->lab->topology;

	c->nodes = xcalloc(t->n_nodes, sizeof(*c->nodes));
	for (size_t i = 0; n == 0 && i < t->n_nodes; i++)
		c->nodes[i] = true;
	c->ends = xcalloc((size_t)n + 1, sizeof(*c->ends));
	for (int i = 0; i < n; i++) {
		struct link_end *end = &c->ends[c->n_ends];
		int r;

		end->interface = NO_INDEX;
		r = strchr(what[i], ':') ? topology_find_end(t, what[i], end, err)
					 : topology_need_node(t, what[i], &end->node, err);
		if (r < 0)
			return r;
		c->nodes[end->node] = true;
		c->n_ends++;
	}
	return 0;
}

static bool is_wanted(const struct capture *c, const struct sight *s)
{
	struct frame f;
	bool chosen = c->n_ends == 0;

	for (size_t i = 0; i < c->n_ends; i++)
		chosen = chosen ||
			 (c->ends[i].node == s->node && (c->ends[i].interface == NO_INDEX ||
							 c->ends[i].interface == s->interface));
	if (!chosen || c->args->all)
		return chosen;
	frame_decode(sight_bytes(&c->sights, s), s->len, &f);
	return f.type != MARK_TYPE || f.payload_len < 7 || memcmp(f.payload, "strake:", 7) != 0;
}

static const char *place(const struct capture *c, const struct sight *s)
{
	return s->interface == NO_INDEX
		       ? "?"
		       : c->lab->topology->nodes[s->node].interfaces[s->interface].name;
}

static void show_line(struct capture *c, const struct sight *s, const struct frame *f)
{
	autofree char *where =
		xasprintf("%s:%s", c->lab->topology->nodes[s->node].name, place(c, s));
	char src[MAC_TEXT_LEN], dst[MAC_TEXT_LEN];
	struct buf text = BUF_INIT(4096);

	mac_format(f->src, src);
	mac_format(f->dst, dst);
	frame_describe(f, &text);
	(void)printf("%10.6f %-14s %-3s %s > %s  %s\n", (double)(s->ns - c->start_ns) / 1e9, where,
		     s->out ? "out" : "in", src, mac_is_broadcast(f->dst) ? "all" : dst,
		     buf_text(&text));
	buf_done(&text);
}

static void show_json(struct capture *c, const struct sight *s, const struct frame *f)
{
	char src[MAC_TEXT_LEN], dst[MAC_TEXT_LEN];
	struct buf text = BUF_INIT(4096);
	json_t *o;

	mac_format(f->src, src);
	mac_format(f->dst, dst);
	frame_describe(f, &text);
	o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "ns", (json_int_t)s->ns,
		      "node", c->lab->topology->nodes[s->node].name, "interface", place(c, s),
		      "direction", s->out ? "out" : "in", "srcMac", src, "dstMac", dst, "type",
		      f->type, "length", (int)s->wire_len, "text", buf_text(&text));
	if (f->n_tags)
		(void)json_object_set_new(o, "vlan", json_integer(f->tags[0]));
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(o);
	buf_done(&text);
}

/* Whether enough were shown, or no more can be written. */
static bool show(struct capture *c)
{
	bool enough = false;

	for (size_t i = 0; i < c->sights.n && !enough; i++) {
		const struct sight *s = &c->sights.items[i];
		struct frame f;

		if (!is_wanted(c, s))
			continue;
		frame_decode(sight_bytes(&c->sights, s), s->len, &f);
		if (!c->start_ns)
			c->start_ns = s->ns;
		if (c->file)
			pcap_frame(c->file, s->ns, sight_bytes(&c->sights, s), (uint32_t)s->len,
				   (uint32_t)s->wire_len);
		else if (c->args->json)
			show_json(c, s, &f);
		else
			show_line(c, s, &f);
		c->shown++;
		enough = c->args->times > 0 && c->shown >= (uint64_t)c->args->times;
	}
	c->lost += c->sights.lost;
	sights_reset(&c->sights);
	if (fflush(c->file ? c->file : stdout) != 0)
		c->failed = errno;
	return enough || c->failed;
}

/* From here on the end of the command, and of us, is something to be read. */
static int watch_signals(struct capture *c, struct error *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? error_sys(err, -errno, "watch for signals") : 0;
}

static int start_command(struct capture *c, struct error *err)
{
	sigset_t none;

	if (!c->args->command)
		return 0;
	(void)fflush(NULL);
	c->child = fork();
	if (c->child < 0)
		return error_sys(err, -errno, "start the command");
	if (c->child > 0)
		return 0;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Standard output is the capture. */
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	(void)execl("/bin/sh", "sh", "-c", c->args->command, (char *)NULL);
	_exit(127);
}

static bool is_over(struct capture *c)
{
	struct signalfd_siginfo info;

	while (read(c->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD || waitpid(c->child, NULL, WNOHANG) == c->child)
			return true;
	return false;
}

static int listen_on(struct capture *c, struct error *err)
{
	bool over = false;
	int r = watch_signals(c, err);

	if (r == 0)
		r = observer_open(c->lab, 0, OBSERVE_ALL, c->nodes, &c->o, err);
	if (r == 0)
		r = start_command(c, err);
	if (r < 0)
		return r;
	if (!c->args->command)
		(void)fprintf(stderr, "listening; Ctrl-C ends it\n");
	while (!over) {
		(void)observer_wait(c->o, -1, c->signals);
		over = is_over(c);
		if (over && c->child)
			(void)observer_settle(c->o, &c->sights, LAST_MS);
		else
			(void)observer_take(c->o, &c->sights);
		over = show(c) || over;
	}
	if (c->failed)
		return error_sys(err, -c->failed, "write %s",
				 c->file && c->file != stdout ? c->args->output : "output");
	if (c->lost)
		(void)fprintf(stderr, "strake lab capture: some frames came too fast and are not "
				      "here\n");
	return 0;
}

static int open_file(struct capture *c, struct error *err)
{
	const char *name = c->args->output;

	if (!name)
		return 0;
	c->file = strcmp(name, "-") == 0 ? stdout : fopen(name, "we");
	if (!c->file)
		return error_sys(err, -errno, "write %s", name);
	pcap_start(c->file);
	return 0;
}

static int capture_run(const void *globals, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct globals *g = globals;
	struct capture c = { .args = data, .sights = SIGHTS_INIT, .signals = -1 };
	int r = lab_open(g->run_root, argv[0], &c.lab, err);

	if (r == 0)
		r = choose(&c, argc - 1, argv + 1, err);
	if (r == 0)
		r = open_file(&c, err);
	if (r == 0)
		r = listen_on(&c, err);
	observer_close(c.o);
	lab_close(c.lab);
	sights_done(&c.sights);
	free(c.nodes);
	free(c.ends);
	if (c.signals >= 0)
		(void)close(c.signals);
	if (c.file && c.file != stdout && fclose(c.file) != 0 && r == 0)
		r = error_sys(err, -errno, "write %s", c.args->output);
	return r;
}

const struct cmd cmd_lab_capture = {
	.name = "capture",
	.operands = "LAB [NODE[:IF]...]",
	.help = "Show frames as they pass, of all nodes at once if none is named",
	.opts = lab_capture_opts,
	.args_size = sizeof(struct lab_capture_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = capture_run,
};

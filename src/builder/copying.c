/* src/builder/copying.c - what is asked */
#include "builder/copying.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "builder/instruction.h"
#include "builder/named.h"
#include "builder/remote.h"
#include "builder/step.h"

void copying_init(struct copying *c, struct work *w)
{
	*c = (struct copying) {
		.w = w,
		.is_add = w->ins->kind == INS_ADD,
		.links = instruction_has(w->ins, "link"),
		.keeps_parents = instruction_has(w->ins, "parents"),
		.from = instruction_flag(w->ins, "from"),
		.root = -1,
		.in = INCOMING_INIT,
		.ssh = SSH_INIT,
	};
	c->named = c->from ? named_find(w->b->req->contexts, c->from) : NULL;
	if (c->named && c->named->image)
		c->named = NULL;
	if (c->named)
		c->from = NULL;
}

void copying_done(struct copying *c)
{
	strv_done(&c->sources);
	for (size_t i = 0; i < c->nremotes; i++)
		remote_done(&c->remotes[i]);
	free(c->remotes);
	ssh_done(&c->ssh);
	free(c->agent);
	strv_done(&c->docs);
	free(c->dest);
	ignore_done(&c->exclude);
	listing_done(&c->list);
	buf_done(&c->said);
	if (c->root >= 0)
		(void)close(c->root);
	incoming_done(&c->in);
}

static const struct heredoc *find_doc(const struct instruction *ins, const char *word)
{
	const char *name = word + 2 + (word[2] == '-');
	size_t skip = *name == '"' || *name == '\'';

	for (size_t i = 0; i < ins->line->ndocs; i++) {
		const struct heredoc *doc = &ins->line->docs[i];

		if (strncmp(name + skip, doc->name, strlen(doc->name)) == 0 &&
		    strlen(name) == strlen(doc->name) + 2 * skip)
			return doc;
	}
	return NULL;
}

/* "<<NAME": a file of that name; its variables are expanded unless the name was quoted. */
static int add_doc(struct copying *c, const struct heredoc *doc)
{
	char *content = NULL;
	int r = 0;

	if (doc->expands)
		r = state_expand(c->w->state, doc->content, &content, c->w->b->err);
	else
		content = xstrdup(doc->content);
	if (r < 0)
		return r;
	strv_add(&c->docs, doc->name);
	strv_take(&c->docs, content);
	return 0;
}

/* 1: it is none. */
static int add_remote(struct copying *c, const char *source)
{
	const char *checksum = instruction_flag(c->w->ins, "checksum");
	struct remote remote;
	int r = remote_parse(source, checksum, &remote, c->w->b->err);

	if (r != 0)
		return r;
	remote.git.keeps_git_dir |= instruction_has(c->w->ins, "keep-git-dir");
	VEC_GROW(c->remotes, c->nremotes, c->remotes_room);
	c->remotes[c->nremotes++] = remote;
	return 0;
}

static int add_source(struct copying *c, const char *word)
{
	const struct heredoc *doc = strncmp(word, "<<", 2) == 0 ? find_doc(c->w->ins, word) : NULL;
	autofree char *source = NULL;
	int r;

	if (doc)
		return add_doc(c, doc);
	r = state_expand(c->w->state, word, &source, c->w->b->err);
	if (r == 0 && !*source)
		r = error_set(c->w->b->err, -EINVAL, "a source is empty");
	if (r == 0)
		r = c->is_add ? add_remote(c, source) : 1;
	if (r > 0) {
		strv_add(&c->sources, source);
		r = 0;
	}
	return r;
}

static size_t count_sources(const struct copying *c)
{
	return c->sources.n + c->nremotes + c->docs.n / 2;
}

static int read_dest(struct copying *c, const char *word)
{
	const char *workdir = state_text(c->w->state, "WorkingDir");
	autofree char *text = NULL;
	size_t len;
	int r = state_expand(c->w->state, word, &text, c->w->b->err);

	if (r < 0)
		return r;
	len = strlen(text);
	if (len == 0)
		return error_set(c->w->b->err, -EINVAL, "the destination is empty");
	c->dest_is_dir = text[len - 1] == '/' || strcmp(text, ".") == 0 ||
			 (len > 1 && strcmp(text + len - 2, "/.") == 0);
	c->dest = *text == '/' ? xstrdup(text) : xasprintf("%s/%s", workdir ? workdir : "", text);
	if (count_sources(c) > 1 && !c->dest_is_dir)
		return error_set(
			c->w->b->err, -EINVAL,
			"with several sources the destination is a directory and ends with /: "
			"%.200s/",
			text);
	return 0;
}

static int read_words(struct copying *c)
{
	const struct strv *words = &c->w->ins->words;
	int r = 0;

	for (size_t i = 0; r == 0 && i + 1 < words->n; i++)
		r = add_source(c, words->items[i]);
	if (r == 0)
		r = read_dest(c, words->items[words->n - 1]);
	if (r == 0 && instruction_flag(c->w->ins, "checksum") &&
	    (count_sources(c) != 1 || c->nremotes != 1))
		r = error_set(c->w->b->err, -EINVAL,
			      "--checksum is for one source, a URL or a git repository");
	return r;
}

static int read_owner(struct copying *c)
{
	const char *flag = instruction_flag(c->w->ins, "chown");
	autofree char *text = NULL;
	int r;

	/* Files of the context are nobody's in particular; those of an image keep their owners. */
	c->looks = (struct draft_looks) { .uid = c->from ? -1 : 0, .gid = c->from ? -1 : 0 };
	if (!flag)
		return 0;
	r = state_expand(c->w->state, flag, &text, c->w->b->err);
	if (r == 0)
		r = step_owner(c->w, text, &c->uid, &c->gid);
	c->looks.uid = c->uid;
	c->looks.gid = c->gid;
	return r;
}

static int read_mode(struct copying *c)
{
	const char *flag = instruction_flag(c->w->ins, "chmod");
	autofree char *text = NULL;
	int r;

	if (!flag)
		return 0;
	r = state_expand(c->w->state, flag, &text, c->w->b->err);
	if (r == 0)
		r = mode_parse(text, &c->mode, c->w->b->err);
	if (r < 0)
		return error_wrap(c->w->b->err, r, "--chmod");
	c->looks.mode = &c->mode;
	return 0;
}

static int read_excludes(struct copying *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->w->ins->flags.n; i++) {
		const char *flag = c->w->ins->flags.items[i];
		autofree char *text = NULL;

		if (strncmp(flag, "exclude=", 8) != 0)
			continue;
		r = state_expand(c->w->state, flag + 8, &text, c->w->b->err);
		if (r == 0)
			r = ignore_add(&c->exclude, text, c->w->b->err);
	}
	return r;
}

int copying_read(struct copying *c)
{
	int r = read_words(c);

	if (r == 0)
		r = read_owner(c);
	if (r == 0)
		r = read_mode(c);
	return r < 0 ? r : read_excludes(c);
}

int copying_open(struct copying *c)
{
	const struct build_request *req = c->w->b->req;
	int context = c->named ? c->named->context.fd : req->context;

	if (c->from)
		return step_source(c->w, c->from, &c->root, c->from_chain, NULL);
	if (c->sources.n == 0)
		return 0;
	if (context < 0)
		return error_set(
			c->w->b->err, -ENOENT,
			"there is no context to copy from: a Containerfile on standard input "
			"comes without one");
	c->root = openat(context, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return c->root < 0 ? error_sys(c->w->b->err, -errno, "open the context") : 0;
}

int copying_list(struct copying *c)
{
	int r = 0;

	c->lr = (struct listing_request) {
		.root = c->root,
		.ignore = c->from    ? NULL
			  : c->named ? &c->named->context.ignore
				     : c->w->b->req->ignore,
		.exclude = c->exclude.n ? &c->exclude : NULL,
		.owners_count = c->from && c->looks.uid < 0,
		.attributes_count = c->from,
		.what = c->from    ? c->from
			: c->named ? c->named->name
				   : "the context",
		.keeps_parents = c->keeps_parents,
	};
	for (size_t i = 0; r == 0 && i < c->sources.n; i++)
		r = listing_add(&c->list, &c->lr, c->sources.items[i], c->w->b->err);
	c->nlocal = c->list.n;
	if (r == 0 && (c->keeps_parents || c->list.n + c->nremotes + c->docs.n / 2 > 1))
		c->dest_is_dir = true;
	return r;
}

void copying_say(struct copying *c)
{
	buf_init(&c->said, 65536);
	buf_add_str(&c->said, c->is_add ? "ADD" : "COPY");
	for (size_t i = 0; i < c->w->ins->flags.n; i++)
		buf_addf(&c->said, " --%s", c->w->ins->flags.items[i]);
	for (size_t i = 0; i < c->docs.n; i += 2)
		buf_addf(&c->said, " <<%s", c->docs.items[i]);
	for (size_t i = 0; i < c->sources.n; i++)
		buf_addf(&c->said, " %s", c->sources.items[i]);
	for (size_t i = 0; i < c->nremotes; i++) {
		autofree char *shown = url_shown(c->remotes[i].text);

		buf_addf(&c->said, " %s", shown);
	}
	buf_addf(&c->said, " %s", c->dest);
}

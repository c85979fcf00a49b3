/* src/cmd/hand_config.c - strake-build config */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "builder/containerfile.h"
#include "builder/edits.h"
#include "builder/hand.h"
#include "cmd/cmd.h"
#include "cmd/hand.h"
#include "cmd/hand_options.h"

/* One word of a command line, as a shell would part it; its variables are for later. */
static int take_word(const char **at, char **ret)
{
	char *word = xmalloc(strlen(*at) + 1), quote = 0;
	size_t len = 0;

	for (; **at && (quote || !isspace((unsigned char)**at)); (*at)++) {
		if (**at == quote) {
			quote = 0;
		} else if (!quote && (**at == '"' || **at == '\'')) {
			quote = **at;
		} else {
			if (**at == '\\' && quote != '\'' && (*at)[1])
				(*at)++;
			word[len++] = **at;
		}
	}
	word[len] = '\0';
	*ret = word;
	return quote ? -EINVAL : 0;
}

/* ["a", "b"], or words. */
static int read_list(const char *option, const char *text, struct strv *ret, struct error *err)
{
	cleanup(json_cleanup) json_t *list = json_loads(text, 0, NULL);
	const json_t *item;
	size_t i;
	int r = 0;

	if (json_is_array(list)) {
		json_array_foreach (list, i, item) {
			if (!json_is_string(item))
				return error_set(err, -EINVAL, "--%s: a list of texts is expected",
						 option);
			strv_add(ret, json_string_value(item));
		}
		return 0;
	}
	for (text += strspn(text, " \t\n"); r == 0 && *text; text += strspn(text, " \t\n")) {
		char *word = NULL;

		r = take_word(&text, &word);
		strv_take(ret, word);
	}
	return r < 0 ? error_set(err, r, "--%s: a quote is not closed", option) : 0;
}

static int set_list(struct hand *hand, enum instruction_kind kind, const char *option,
		    const char *text)
{
	struct strv list = { 0 };
	int r = text ? read_list(option, text, &list, hand->err) : 0;

	if (r == 0 && text)
		r = hand_words(hand, kind, NULL, &list, HAND_ARGUMENTS);
	strv_done(&list);
	return r;
}

/* A list is a command; anything else is a line for the shell, as behind ENTRYPOINT. */
static int set_entrypoint(struct hand *hand, const char *text)
{
	autofree char *line = text ? xasprintf("ENTRYPOINT %s", text) : NULL;

	if (text && !*text) {
		const struct strv none = { 0 };

		return hand_words(hand, INS_ENTRYPOINT, NULL, &none, HAND_ARGUMENTS);
	}
	return text ? hand_line(hand, line) : 0;
}

static int set_text(struct hand *hand, enum instruction_kind kind, const char *text)
{
	struct strv words = { 0 };
	int r = 0;

	if (text) {
		strv_add(&words, text);
		r = hand_words(hand, kind, NULL, &words, HAND_LITERAL);
	}
	strv_done(&words);
	return r;
}

/* "NAME-" is one less, "-" all of them, as with buildah. */
static bool takes_away(const char *word)
{
	size_t len = strlen(word);

	return len > 0 && word[len - 1] == '-' && !strchr(word, '=');
}

static void take_away(struct hand *hand, enum instruction_kind kind, const char *word)
{
	const char *member = kind == INS_ENV      ? "Env"
			     : kind == INS_LABEL  ? "Labels"
			     : kind == INS_EXPOSE ? "ExposedPorts"
						  : "Volumes";
	autofree char *name = xstrndup(word, strlen(word) - 1);
	autofree char *port = xasprintf("%s/tcp", name);

	edits_take(&hand->state, member,
		   !*name                                     ? NULL
		   : kind == INS_EXPOSE && !strchr(name, '/') ? port
							      : name);
}

/* In their order; those between two that take something away are one instruction. */
static int set_all(struct hand *hand, enum instruction_kind kind, const struct strv *words,
		   enum hand_words keep)
{
	struct strv some = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i <= words->n; i++) {
		const bool takes = i < words->n && takes_away(words->items[i]);

		if (i < words->n && !takes) {
			strv_add(&some, words->items[i]);
			continue;
		}
		r = some.n ? hand_words(hand, kind, NULL, &some, keep) : 0;
		strv_done(&some);
		if (r == 0 && takes)
			take_away(hand, kind, words->items[i]);
	}
	strv_done(&some);
	return r;
}

static int set_pairs(struct hand *hand, enum instruction_kind kind, const char *option,
		     const struct strv *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!takes_away(pairs->items[i]) &&
		    (!strchr(pairs->items[i], '=') || *pairs->items[i] == '='))
			return error_set(hand->err, -EINVAL,
					 "--%s '%s': expected NAME=VALUE, or NAME- to take it away",
					 option, pairs->items[i]);
	return set_all(hand, kind, pairs, HAND_VARIABLES);
}

static int set_health(struct hand *hand, const struct hand_config_args *args)
{
	const struct {
		const char *flag, *value;
	} flags[] = { { "interval", args->health_interval },
		      { "timeout", args->health_timeout },
		      { "start-period", args->health_start },
		      { "start-interval", args->health_start_interval },
		      { "retries", args->health_retries } };
	struct buf line = BUF_INIT(CONTAINERFILE_MAX);
	bool any = false;
	int r;

	buf_add_str(&line, "HEALTHCHECK");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		any |= flags[i].value != NULL;
		if (flags[i].value)
			buf_addf(&line, " --%s=%s", flags[i].flag, flags[i].value);
	}
	if (args->health)
		buf_addf(&line, " %s", args->health);
	if (any && !args->health)
		r = error_set(hand->err, -EINVAL,
			      "--healthcheck-... are about a --healthcheck; give that, too");
	else
		r = args->health ? hand_line(hand, buf_text(&line)) : 0;
	buf_done(&line);
	return r;
}

static int add_triggers(struct hand *hand, const struct strv *texts)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->n; i++) {
		autofree char *line = xasprintf("ONBUILD %s", texts->items[i]);

		r = hand_line(hand, line);
	}
	return r;
}

static int note_annotations(struct hand *hand, const struct strv *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (takes_away(pairs->items[i])) {
			autofree char *name =
				xstrndup(pairs->items[i], strlen(pairs->items[i]) - 1);

			if (*name)
				strv_env_unset(&hand->w.annotations, name);
			else
				strv_done(&hand->w.annotations);
			continue;
		}
		if (!strchr(pairs->items[i], '=') || *pairs->items[i] == '=')
			return error_set(hand->err, -EINVAL,
					 "--annotation '%s': expected NAME=VALUE", pairs->items[i]);
		strv_env_set(&hand->w.annotations, pairs->items[i]);
	}
	return 0;
}

static void unset(struct hand *hand, const struct hand_config_args *args)
{
	for (size_t i = 0; i < args->unset_labels.n; i++)
		edits_take(&hand->state, "Labels", args->unset_labels.items[i]);
	for (size_t i = 0; i < args->unset_annotations.n; i++)
		strv_env_unset(&hand->w.annotations, args->unset_annotations.items[i]);
}

/* What no instruction says. */
static void set_rest(struct hand *hand, const struct hand_config_args *args)
{
	const char *const beside[][2] = { { "architecture", args->arch },
					  { "os", args->os },
					  { "variant", args->variant },
					  { "os.version", args->os_version },
					  { "comment", args->comment } };
	json_t *features = json_from_strv(&args->os_features);

	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		if (beside[i][1])
			edits_set(&hand->state, beside[i][0], beside[i][1]);
	if (args->os_features.n)
		(void)json_object_set(hand->state.doc, "os.features", features);
	json_decref(features);
	if (args->hostname)
		state_set_text(&hand->state, "Hostname", args->hostname);
	if (args->domainname)
		state_set_text(&hand->state, "Domainname", args->domainname);
	if (args->history_comment)
		edits_comment(&hand->state, args->history_comment);
}

/* In this order, whatever the order of options: what a later one builds on comes first. */
static int apply(struct hand *hand, const struct hand_config_args *args)
{
	int r = set_text(hand, INS_MAINTAINER, args->author);

	if (r == 0)
		r = set_pairs(hand, INS_ENV, "env", &args->env);
	if (r == 0)
		r = set_pairs(hand, INS_LABEL, "label", &args->labels);
	if (r == 0)
		r = set_text(hand, INS_WORKDIR, args->workdir);
	if (r == 0)
		r = set_text(hand, INS_USER, args->user);
	if (r == 0)
		r = set_all(hand, INS_EXPOSE, &args->ports, HAND_LITERAL);
	if (r == 0)
		r = set_all(hand, INS_VOLUME, &args->volumes, HAND_LITERAL);
	if (r == 0)
		r = set_list(hand, INS_SHELL, "shell", args->shell);
	if (r == 0)
		r = set_entrypoint(hand, args->entrypoint);
	if (r == 0)
		r = set_list(hand, INS_CMD, "cmd", args->cmd);
	if (r == 0)
		r = set_text(hand, INS_STOPSIGNAL, args->stop_signal);
	if (r == 0)
		r = set_health(hand, args);
	if (r == 0)
		r = add_triggers(hand, &args->onbuild);
	if (r == 0)
		r = note_annotations(hand, &args->annotations);
	if (r < 0)
		return r;
	unset(hand, args);
	set_rest(hand, args);
	return 0;
}

static int config_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct hand_config_args *args = data;
	struct build_request req;
	struct hand hand = { .w = WORKING_INIT };
	int r = hand_step_request(&req, err);

	(void)argc;
	if (r == 0)
		r = hand_open(engine, argv[0], &req, &hand, err);
	if (r < 0)
		return r;
	if (args->created_by) {
		free(hand.w.created_by);
		hand.w.created_by = xstrdup(args->created_by);
	}
	return hand_end(&hand, apply(&hand, args));
}

const struct cmd cmd_hand_config_do = {
	.name = "config",
	.operands = "CONTAINER",
	.help = "Change what the image will say about running it",
	.opts = hand_config_opts,
	.args_size = sizeof(struct hand_config_args),
	.min_operands = 1,
	.max_operands = 1,
	.run = config_run,
};

/* src/cmd/help.c */
#include "cmd/help.h"

#include <ctype.h>
#include <string.h>

#include "base/opt.h"
#include "cmd/cmd.h"

#define SYNOPSIS_LEN 160

static const struct cmd *itself(const struct cmd *cmd)
{
	return cmd->same ? cmd->same : cmd;
}

static const char *title_above(const struct cmd_heading *headings, const struct cmd *cmd)
{
	for (; headings && headings->title; headings++)
		if (headings->above == cmd)
			return headings->title;
	return NULL;
}

static void list_cmds(const struct cmd *const *cmds, const struct cmd_heading *headings, FILE *to)
{
	if (!headings)
		(void)fprintf(to, "\nCommands:\n");
	for (; *cmds; cmds++) {
		const char *title = title_above(headings, *cmds);

		if (title)
			(void)fprintf(to, "\n%s:\n", title);
		if (!((*cmds)->flags & CMD_HIDDEN))
			(void)fprintf(to, "  %-12s %s\n", (*cmds)->name, itself(*cmds)->help);
	}
}

void help_program(const struct program *program, FILE *to)
{
	(void)fprintf(to, "%s - %s\n\nUsage: %s [OPTIONS] COMMAND [ARGUMENTS]\n", program->name,
		      program->help, program->name);
	list_cmds(program->cmds, program->headings, to);
	(void)fprintf(to, "\nOptions, before or behind the command:\n");
	opt_help(program->global_opts, to);
	(void)fprintf(to,
		      "      --help                     say this, or how to use a command\n"
		      "  -v, --version                  print the version\n"
		      "\n'%s COMMAND --help' tells about one command.\n",
		      program->name);
}

/* "[OPTIONS] CONTAINER...", with a blank before it unless it is empty. */
static void synopsis(const struct cmd *cmd, char ret[SYNOPSIS_LEN])
{
	const char *operands = cmd->sub ? "COMMAND" : cmd->operands ? cmd->operands : "";
	bool options = !cmd->sub && cmd->opts && strncmp(operands, "[OPTIONS]", 9) != 0;

	(void)snprintf(ret, SYNOPSIS_LEN, "%s%s%s", options ? " [OPTIONS]" : "",
		       *operands ? " " : "", operands);
}

void help_cmd(const struct program *program, const struct cmd *cmd, const char *path, FILE *to)
{
	char line[SYNOPSIS_LEN];

	if (cmd->sub) {
		(void)fprintf(to, "%s\n\nUsage: %s %s COMMAND\n", cmd->help, program->name, path);
		if (cmd->otherwise) {
			synopsis(cmd->otherwise, line);
			(void)fprintf(to, "       %s %s%s\n", program->name, path, line);
		}
		list_cmds(cmd->sub, NULL, to);
		return;
	}
	synopsis(cmd, line);
	(void)fprintf(to, "%s\n\nUsage: %s %s%s\n", cmd->help, program->name, path, line);
	if (cmd->details)
		(void)fprintf(to, "\n%s\n", cmd->details);
	if (cmd->opts) {
		(void)fprintf(to, "\nOptions:\n");
		opt_help(cmd->opts, to);
	}
	(void)fprintf(to, "\nOptions of every command:\n");
	opt_help(program->global_opts, to);
}

/* roff reads "-" as a hyphen, a leading "." or "'" as a request, and "\" as an escape. */
static void roff(const char *text, FILE *to)
{
	for (const char *p = text; *p; p++) {
		if ((p == text || p[-1] == '\n') && (*p == '.' || *p == '\''))
			(void)fputs("\\&", to);
		if (*p == '-')
			(void)fputs("\\-", to);
		else if (*p == '\\')
			(void)fputs("\\e", to);
		else if (*p == '\n' && p[1] == '\n')
			(void)fputs("\n.P", to);
		else
			(void)fputc(*p, to);
	}
}

static void man_options(const char *heading, const struct opt *opts, FILE *to)
{
	if (!opts)
		return;
	(void)fprintf(to, ".SH %s\n", heading);
	for (const struct opt *o = opts; o->name; o++) {
		if (o->kind == OPT_NOT_HERE)
			continue;
		(void)fputs(".TP\n", to);
		if (o->letter)
			(void)fprintf(to, "\\fB\\-%c\\fR, ", o->letter);
		(void)fputs("\\fB\\-\\-", to);
		roff(o->name, to);
		(void)fputs("\\fR", to);
		if (o->operand) {
			(void)fputs(o->bare ? "[=\\fI" : " \\fI", to);
			roff(o->operand, to);
			(void)fputs(o->bare ? "\\fR]" : "\\fR", to);
		}
		(void)fputc('\n', to);
		roff(o->help, to);
		(void)fputs(o->kind == OPT_LIST ? " (repeatable).\n" : ".\n", to);
	}
}

static void man_cmds(const char *prefix, const struct cmd *const *cmds, FILE *to)
{
	(void)fprintf(to, ".SH COMMANDS\n");
	for (; *cmds; cmds++) {
		if ((*cmds)->flags & CMD_HIDDEN)
			continue;
		(void)fprintf(to, ".TP\n\\fB%s%s%s\\fR ", prefix, *prefix ? " " : "",
			      (*cmds)->name);
		roff(itself(*cmds)->operands ? itself(*cmds)->operands : "COMMAND", to);
		(void)fputc('\n', to);
		roff(itself(*cmds)->help, to);
		(void)fputs(".\n", to);
	}
}

static void man_title(const struct program *program, const char *path, const char *help, FILE *to)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s%s%s", program->name, *path ? "-" : "", path);
	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	(void)fputs(".TH \"", to);
	for (const char *p = name; *p; p++)
		(void)fputc(toupper((unsigned char)*p), to);
	(void)fprintf(to, "\" 1 \"\" \"strake %s\" \"strake\"\n.SH NAME\n", STRAKE_VERSION);
	roff(name, to);
	(void)fputs(" \\- ", to);
	roff(help, to);
	(void)fputs("\n.SH SYNOPSIS\n", to);
}

void help_man(const struct program *program, const struct cmd *cmd, const char *path, FILE *to)
{
	char line[SYNOPSIS_LEN];

	man_title(program, path, cmd ? cmd->help : program->help, to);
	(void)fprintf(to, "\\fB%s%s%s\\fR", program->name, *path ? " " : "", path);
	if (cmd)
		synopsis(cmd, line);
	roff(cmd ? line : " [OPTIONS] COMMAND [ARGUMENTS]", to);
	(void)fputc('\n', to);
	if (cmd && cmd->otherwise) {
		synopsis(cmd->otherwise, line);
		(void)fprintf(to, ".br\n\\fB%s %s\\fR", program->name, path);
		roff(line, to);
		(void)fputc('\n', to);
	}
	if (cmd && cmd->details) {
		(void)fputs(".SH DESCRIPTION\n", to);
		roff(cmd->details, to);
		(void)fputc('\n', to);
	}
	if (!cmd)
		man_cmds("", program->cmds, to);
	else if (cmd->sub)
		man_cmds(path, cmd->sub, to);
	else
		man_options("OPTIONS", cmd->opts, to);
	if (!cmd || !cmd->sub)
		man_options(cmd ? "OPTIONS OF EVERY COMMAND" : "OPTIONS", program->global_opts, to);
}

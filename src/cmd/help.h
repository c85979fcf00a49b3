/* src/cmd/help.h - what --help and the man pages say, both from the command tables. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include <stdio.h>

struct cmd;
struct program;

void help_program(const struct program *program, FILE *to);
/* path is how the command is called: "network ls". */
void help_cmd(const struct program *program, const struct cmd *cmd, const char *path, FILE *to);
/* Man page source (man(7) macros); cmd NULL: the page of the program itself. */
void help_man(const struct program *program, const struct cmd *cmd, const char *path, FILE *to);

#endif

/* src/cmd/conclude.h - the last line of a check: how much was found, and who puts it right. */
#ifndef CMD_CONCLUDE_H
#define CMD_CONCLUDE_H

#include <stdbool.h>

#define CONCLUDE_LEN 160

/* left of what was found are not for a repair; their own lines said what to do. */
void conclude_text(const char *command, int found, int left, bool repair, char ret[CONCLUDE_LEN]);

/* Prints it, and returns the exit status: 1 while something is wrong. */
int conclude(const char *command, int found, int left, bool repair);

#endif

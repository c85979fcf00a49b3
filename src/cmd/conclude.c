/* src/cmd/conclude.c */
#include "cmd/conclude.h"

#include <stdio.h>

void conclude_text(const char *command, int found, int left, bool repair, char ret[CONCLUDE_LEN])
{
	if (found == 0)
		(void)snprintf(ret, CONCLUDE_LEN, "nothing is wrong");
	else if (left == found)
		(void)snprintf(ret, CONCLUDE_LEN, "%d found; see above what to do", found);
	else if (repair && left)
		(void)snprintf(ret, CONCLUDE_LEN, "%d found, %d repaired; for the rest see above",
			       found, found - left);
	else if (repair)
		(void)snprintf(ret, CONCLUDE_LEN, "%d found, repaired", found);
	else if (left)
		(void)snprintf(ret, CONCLUDE_LEN,
			       "%d found; '%s --repair' puts %d right; for the rest see above",
			       found, command, found - left);
	else
		(void)snprintf(ret, CONCLUDE_LEN, "%d found; '%s --repair' puts it right", found,
			       command);
}

int conclude(const char *command, int found, int left, bool repair)
{
	char text[CONCLUDE_LEN];

	conclude_text(command, found, left, repair, text);
	(void)puts(text);
	return left || (found && !repair);
}

/* src/builder/secrets.h - where secrets lie while a step sees them: files in the run root, which is
 * memory where that is set up as usual, and never in the store.
 */
#ifndef BUILDER_SECRETS_H
#define BUILDER_SECRETS_H

#include "base/error.h"

struct engine;

/* A directory of its own, locked as long as *ret_fd is open. */
int secrets_open(const struct engine *engine, char **ret_path, int *ret_fd,
		 struct error *err) must_check;
/* It goes with all that is in it. */
void secrets_close(char *path, int fd);
/* What a build left that was killed. */
void secrets_sweep(const struct engine *engine);

#endif

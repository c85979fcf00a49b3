/* src/cmd/asking.h - one conversation with a registry about one name. */
#ifndef CMD_ASKING_H
#define CMD_ASKING_H

#include "base/error.h"
#include "transfer/remote.h"

struct progress;
struct registry_args;

struct asking {
	struct progress *progress;
	struct remote *remote;
	struct remote_name name;
	char *canonical;
	struct wire_message answer; /* of the last question */
};

int asking_open(struct asking *a, const struct registry_args *args, const char *typed,
		struct error *err) must_check;
void asking_done(struct asking *a); /* also after a failure of open */
/* Of what the name stands for. */
int asking_digest(struct asking *a, char ret[136], struct error *err) must_check;

#endif

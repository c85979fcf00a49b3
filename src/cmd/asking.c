/* src/cmd/asking.c */
#include "cmd/asking.h"

#include <stdio.h>

#include "base/strv.h"
#include "cmd/registry_open.h"
#include "transfer/progress.h"

void asking_done(struct asking *a)
{
	wire_message_done(&a->answer);
	remote_name_done(&a->name);
	free(a->canonical);
	remote_close(a->remote);
	progress_free(a->progress);
}

int asking_open(struct asking *a, const struct registry_args *args, const char *typed,
		struct error *err)
{
	struct strv names = { 0 };
	int r;

	*a = (struct asking) { .answer = WIRE_MESSAGE_INIT };
	a->progress = progress_new(stderr, PROGRESS_AUTO);
	strv_add(&names, typed);
	r = registry_open(args, a->progress, &names, NULL, &a->remote, err);
	strv_done(&names);
	if (r == 0)
		r = registry_name(a->remote, 0, typed, a->progress, &a->canonical, err);
	if (r == 0)
		remote_name_parse(a->canonical, &a->name);
	return r;
}

int asking_digest(struct asking *a, char ret[136], struct error *err)
{
	struct remote_document d = { .len = 0 };
	int r;

	if (a->name.digest) {
		(void)snprintf(ret, 136, "%s", a->name.digest);
		return 0;
	}
	r = remote_manifest(remote_channel(a->remote), a->name.repository,
			    remote_name_ref(&a->name), &d, err);
	(void)snprintf(ret, 136, "%s", d.digest);
	remote_document_done(&d);
	return r;
}

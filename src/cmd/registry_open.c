/* src/cmd/registry_open.c */
#include "cmd/registry_open.h"

#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "cmd/registry_options.h"
#include "engine/engine.h"
#include "transfer/progress.h"
#include "transfer/remote.h"

static void note(void *data, const char *text)
{
	progress_note(data, text);
}

int registry_options(const struct registry_args *args, struct progress *progress,
		     char **ret_program, struct remote_options *ret, struct error *err)
{
	autofree char *dir = libexec_find();

	if (args->tls_verify && strcmp(args->tls_verify, "true") != 0 &&
	    strcmp(args->tls_verify, "false") != 0)
		return error_set(err, -EINVAL, "--tls-verify wants true or false, not '%.40s'",
				 args->tls_verify);
	*ret_program = xasprintf("%s/strake-registry", dir);
	*ret = (struct remote_options) {
		.program = *ret_program,
		.registries_conf = args->registries_conf,
		.auth_file = args->auth_file,
		.cert_dir = args->cert_dir,
		.credentials = args->credentials,
		.tls_verify = args->tls_verify,
		.retries = args->retry > 0 ? args->retry : -1,
		.stall_s = args->stall,
		.note = note,
		.data = progress,
	};
	return 0;
}

int registry_open(const struct registry_args *args, struct progress *progress,
		  const struct strv *names, const struct strv *hosts, struct remote **ret,
		  struct error *err)
{
	autofree char *program = NULL;
	struct remote_options options;
	int r = registry_options(args, progress, &program, &options, err);

	if (r < 0)
		return r;
	r = remote_open(&options, names, hosts, ret, err);
	return r;
}

int registry_name(struct remote *remote, size_t i, const char *typed, struct progress *progress,
		  char **ret, struct error *err)
{
	struct strv names = { 0 };
	int r = 0;

	remote_candidates(remote, i, &names);
	if (names.n == 0)
		r = error_set(err, -EPROTO, "'%.200s' stands for nothing", typed);
	if (r == 0 && remote_name_is_short(remote, i)) {
		autofree char *text = xasprintf("%s is short for %s", typed, names.items[0]);

		progress_note(progress, text);
	}
	if (r == 0)
		*ret = xstrdup(names.items[0]);
	strv_done(&names);
	return r;
}

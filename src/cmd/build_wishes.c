/* src/cmd/build_wishes.c */
#include "cmd/build_wishes.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "builder/build.h"
#include "builder/health.h"
#include "builder/mount_spec.h"
#include "builder/scope.h"
#include "cmd/build_given.h"
#include "cmd/build_options.h"
#include "cmd/hand.h"
#include "engine/config.h"
#include "image/platform.h"
#include "image/reference.h"

#define RETRY_DELAY_NS     2000000000LL
#define RETRY_DELAY_MAX_NS (3600LL * 1000000000)

void wishes_done(struct build_wishes *w)
{
	strv_done(&w->names);
	strv_done(&w->platforms);
	strv_done(&w->registry_flags);
	strv_done(&w->build_args);
	edits_done(&w->edits);
	outputs_done(&w->outputs);
	annotations_done(&w->annotations);
	named_done(&w->contexts);
	cache_specs_done(&w->cache_from);
	cache_specs_done(&w->cache_to);
}

/* "amd64,arm64", and as often as one likes; each once. */
static int read_platforms(const struct build_args *args, struct strv *ret, struct error *err)
{
	const struct strv *texts = &args->platforms;
	struct strv all = { 0 };
	int r = texts->n && (args->arch || args->os || args->variant)
			? error_set(err, -EINVAL,
				    "--platform says it all; leave --arch, --os and --variant away")
			: 0;
	autofree char *parts = given_platform(args->arch, args->os, args->variant);

	if (r == 0 && parts)
		strv_add(&all, parts);

	for (size_t i = 0; r == 0 && i < texts->n; i++)
		r = csv_split(texts->items[i], &all);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		char platform[PLATFORM_LEN];

		r = platform_parse(all.items[i], platform, err);
		if (r == 0 && !strv_has(ret, platform))
			strv_add(ret, platform);
	}
	strv_done(&all);
	return r;
}

/* --push and --load are outputs by another name. */
static int read_outputs(const struct build_args *args, struct build_wishes *w, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < args->outputs.n; i++)
		r = output_parse(&w->outputs, args->outputs.items[i], err);
	if (r == 0 && args->push && !outputs_have(&w->outputs, OUTPUT_REGISTRY))
		output_add(&w->outputs, OUTPUT_REGISTRY);
	if (r == 0 && (args->load || w->outputs.n == 0) && !outputs_have(&w->outputs, OUTPUT_IMAGE))
		output_add(&w->outputs, OUTPUT_IMAGE);
	for (size_t i = 0; r == 0 && i < w->outputs.n; i++) {
		struct strv canonical = { 0 };

		r = read_image_names(&w->outputs.items[i].names, "--output name=", &canonical, err);
		strv_done(&w->outputs.items[i].names);
		w->outputs.items[i].names = canonical;
	}
	if (r == 0 && outputs_use_stdout(&w->outputs) && isatty(STDOUT_FILENO))
		r = error_set(err, -EINVAL,
			      "--output: standard output is a terminal; dest=FILE names a file");
	if (r == 0 && outputs_use_stdout(&w->outputs) && args->debug)
		r = error_set(err, -EINVAL,
			      "--debug opens a shell on standard output, which --output wants");
	return r;
}

static int read_rights(const struct strv *allow, struct error *err)
{
	static const char *const rights[] = { "security.insecure", "network.host" };

	for (size_t i = 0; i < allow->n; i++)
		if (strcmp(allow->items[i], rights[0]) != 0 &&
		    strcmp(allow->items[i], rights[1]) != 0)
			return error_set(err, -EINVAL, "--allow is %s or %s, not '%.40s'",
					 rights[0], rights[1], allow->items[i]);
	return 0;
}

static int read_format(const char *text, struct build_request *req, struct error *err)
{
	if (text && strcmp(text, "oci") != 0 && strcmp(text, "docker") != 0)
		return error_set(err, -EINVAL, "--format wants oci or docker, not '%.40s'", text);
	req->format = text;
	return 0;
}

static void point(const struct build_args *args, const struct build_wishes *w,
		  struct build_request *req)
{
	req->target = args->target;
	req->platforms = &w->platforms;
	req->network = args->network;
	req->build_args = &w->build_args;
	req->labels = &args->labels;
	req->secrets = &args->secrets;
	req->run = &args->run;
	req->edits = &w->edits;
	req->from = args->from;
	req->manifest = args->manifest;
	req->allow = &args->allow;
	req->ssh = &args->ssh;
	req->names = &w->names;
	req->newest_s = -1;
	/* Two that read one input get what comes by chance. */
	req->jobs = args->run.interactive ? 1 : args->jobs > 0 ? (unsigned)args->jobs : 0;
	req->no_cache = args->no_cache;
	req->show_changes = args->show_changes;
	req->debug = args->debug;
	req->squash = args->squash;
	req->squash_all = args->squash_all;
	req->outputs = &w->outputs;
	req->annotations = &w->annotations;
	req->registry_flags = &w->registry_flags;
	req->contexts = &w->contexts;
	req->cache_from = &w->cache_from;
	req->cache_to = &w->cache_to;
	req->uncached = &args->uncached;
	req->wants_metadata = args->metadata_file != NULL;
}

/* Of files first: what is given by itself goes before them.  The proxies count as given. */
static int read_arguments(const struct build_args *args, struct build_wishes *w, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < args->build_arg_files.n; i++)
		r = config_env_file(&w->build_args, args->build_arg_files.items[i], err);
	if (r < 0)
		return error_wrap(err, r, "--build-arg-file");
	if (args->http_proxy)
		scope_proxies(&w->build_args);
	strv_extend(&w->build_args, args->build_args.items, args->build_args.n);
	return 0;
}

static int read_time(const char *option, const char *text, int64_t *ret_ns, struct error *err)
{
	if (duration_parse(text, ret_ns) < 0 || *ret_ns < 0)
		return error_set(err, -EINVAL, "%s '%.40s': expected a time such as 30s or 24h",
				 option, text);
	return 0;
}

static int read_retry(const struct build_args *args, struct build_request *req, struct error *err)
{
	int64_t delay_ns = RETRY_DELAY_NS;
	int r = args->retry_delay ? read_time("--retry-delay", args->retry_delay, &delay_ns, err)
				  : 0;

	if (r == 0 && (args->retry < 0 || delay_ns > RETRY_DELAY_MAX_NS))
		r = error_set(err, -EINVAL, "--retry wants a number, and --retry-delay at most 1h");
	req->retries = r == 0 ? (unsigned)args->retry : 0;
	req->retry_delay_ms = (int)(delay_ns / 1000000);
	return r;
}

static int read_cache_age(const char *text, struct build_request *req, struct error *err)
{
	int64_t age_ns = 0;
	int r = text && strcmp(text, "0") != 0 ? read_time("--cache-ttl", text, &age_ns, err) : 0;

	req->step_age_ns = age_ns;
	req->no_cache |= text && age_ns == 0;
	return r;
}

static int read_caches(const struct build_args *args, struct build_wishes *w, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < args->cache_from.n; i++)
		r = cache_spec_parse(&w->cache_from, "--cache-from", args->cache_from.items[i],
				     false, err);
	for (size_t i = 0; r == 0 && i < args->cache_to.n; i++)
		r = cache_spec_parse(&w->cache_to, "--cache-to", args->cache_to.items[i], true,
				     err);
	return r;
}

static int open_contexts(struct engine *engine, const struct build_args *args,
			 struct build_wishes *w, struct error *err)
{
	const struct named_request req = {
		.engine = engine,
		.texts = &args->contexts,
		.secrets = &args->secrets,
		.platform = w->platforms.n ? w->platforms.items[0] : NULL,
	};

	return named_open(&req, &w->contexts, err);
}

int wishes_read(struct engine *engine, const struct build_args *args, struct build_wishes *w,
		struct build_request *req, struct error *err)
{
	int r = args->jobs < 0 ? error_set(err, -EINVAL, "--jobs wants a number of stages, not %d",
					   args->jobs)
			       : 0;

	if (r == 0)
		r = read_arguments(args, w, err);
	point(args, w, req);
	given_registry(&(const struct given_registry) { args->tls_verify, args->auth_file,
							args->credentials, args->cert_dir },
		       &w->registry_flags);
	if (r == 0)
		r = given_check(args, err);
	if (r == 0)
		r = given_pull(args->pull_always  ? "always"
			       : args->pull_never ? "never"
						  : args->pull,
			       req, err);
	if (r == 0)
		r = read_rights(&args->allow, err);
	if (r == 0)
		r = read_format(args->format, req, err);
	if (r == 0)
		r = read_platforms(args, &w->platforms, err);
	if (r == 0)
		r = read_retry(args, req, err);
	if (r == 0)
		r = read_cache_age(args->cache_ttl, req, err);
	if (r == 0)
		r = given_edits(args, &w->edits, req, err);
	if (r == 0)
		r = read_image_names(&args->tags, "--tag", &w->names, err);
	if (r == 0)
		r = read_timestamp(args->timestamp, &req->newest_s, err);
	if (r == 0)
		r = read_outputs(args, w, err);
	for (size_t i = 0; r == 0 && i < args->annotations.n; i++)
		r = annotation_parse(&w->annotations, args->annotations.items[i], err);
	for (size_t i = 0; r == 0 && i < args->secrets.n; i++)
		r = secret_check(args->secrets.items[i], err);
	if (r == 0)
		r = read_caches(args, w, err);
	return r < 0 ? r : open_contexts(engine, args, w, err);
}

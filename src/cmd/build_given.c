/* src/cmd/build_given.c */
#include "cmd/build_given.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "builder/build.h"
#include "builder/edits.h"
#include "cmd/build_options.h"
#include "engine/config.h"
#include "image/platform.h"

/* Whose namespaces a RUN is in: words, or a path. */
static int check_namespaces(const struct container_options *run, struct error *err)
{
	const char *const whose[][2] = { { "pid", run->pid },
					 { "ipc", run->ipc },
					 { "uts", run->uts },
					 { "cgroupns", run->cgroupns } };

	for (size_t i = 0; i < ARRAY_SIZE(whose); i++)
		if (whose[i][1] && *whose[i][1] != '/' &&
		    !text_has_word("private host", whose[i][1]))
			return error_set(err, -EINVAL,
					 "--%s is private, host or a namespace's path, not '%.60s'",
					 whose[i][0], whose[i][1]);
	return 0;
}

/* What scripts for Docker and Podman ask for and have here; the opposite cannot be had. */
int given_check(const struct build_args *args, struct error *err)
{
	static const char debug[] = "--debug looks into a step that failed";
	static const char attest[] = "attestations are not made; cosign attest adds one to what "
				     "was pushed";
	const struct given_only given[] = {
		{ "rm", args->rm, "true", debug },
		{ "force-rm", args->force_rm, "true", debug },
		{ "provenance", args->provenance, "false", attest },
		{ "sbom", args->sbom, "false", attest },
		{ "isolation", args->isolation, "default oci process",
		  "every RUN is a container with namespaces of its own" },
		{ "builder", args->builder, "default", "there is no other than this program" },
		{ "identity-label", args->identity_label, "false",
		  "--label strake.version=... is for you to say" },
		{ "created-annotation", args->created_annotation, "false",
		  "--annotation org.opencontainers.image.created=TIME gives one" },
		{ "inherit-annotations", args->inherit_annotations, "false",
		  "--annotation gives those that the image is to have" },
		{ "compat-volumes", args->compat_volumes, "false",
		  "what a RUN changes in a VOLUME is kept, as BuildKit keeps it" },
		{ "rewrite-timestamp", args->rewrite_timestamp, "true",
		  "--timestamp holds the times of files down, too" },
		{ "disable-compression", args->disable_compression, "true",
		  "layers are packed when they leave; --output has compression=gzip" },
		{ "disable-content-trust", args->content_trust, "true",
		  "policy.json says which images may be pulled" },
		{ "compress", args->compress, "true false", "the context is sent nowhere" },
		{ "userns", args->userns, "host",
		  "run strake in a user namespace for another: unshare -Ur" },
	};

	int r = given_only(given, ARRAY_SIZE(given), err);

	return r < 0 ? r : check_namespaces(&args->run, err);
}

/* "true" and "false" of an option that is true if nobody says otherwise. */
static int read_unless(const char *name, const char *text, bool *ret_off, struct error *err)
{
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return error_set(err, -EINVAL, "--%s is true or false, not '%.40s'", name, text);
	*ret_off |= text && strcmp(text, "false") == 0;
	return 0;
}

int given_edits(const struct build_args *args, struct image_edits *edits, struct build_request *req,
		struct error *err)
{
	int r = config_env(&edits->env, &args->env, err);

	strv_extend(&edits->unset_env, args->unset_env.items, args->unset_env.n);
	strv_extend(&edits->unset_label, args->unset_label.items, args->unset_label.n);
	strv_extend(&edits->os_features, args->os_features.items, args->os_features.n);
	edits->os_version = args->os_version;
	edits->no_history = args->omit_history;
	if (r == 0)
		r = read_unless("inherit-labels", args->inherit_labels, &edits->no_base_labels,
				err);
	if (r == 0)
		r = read_unless("layers", args->layers, &req->squash, err);
	if (r == 0)
		r = read_unless("skip-unused-stages", args->unused_stages, &req->all_stages, err);
	return r;
}

int given_pull(const char *text, struct build_request *req, struct error *err)
{
	/* Docker's has true and false, Podman's all of them. */
	static const char *const words[][2] = {
		{ "missing", "missing" }, { "always", "always" },     { "never", "never" },
		{ "newer", "newer" },     { "ifmissing", "missing" }, { "ifnewer", "newer" },
		{ "true", "always" },     { "false", "missing" }
	};

	for (size_t i = 0; text && i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i][0], text) == 0) {
			req->pull = words[i][1];
			return 0;
		}
	return !text ? 0
		     : error_set(err, -EINVAL,
				 "--pull is always, missing, never or newer, not '%.40s'", text);
}

char *given_platform(const char *arch, const char *os, const char *variant)
{
	char own[PLATFORM_LEN];
	const char *own_arch;
	size_t n;

	if (!arch && !os && !variant)
		return NULL;
	platform_own(own);
	n = strcspn(own, "/");
	own_arch = own[n] ? own + n + 1 : "";
	return xasprintf("%.*s/%.*s%s%s", os ? INT_MAX : (int)n, os ? os : own,
			 arch ? INT_MAX : (int)strcspn(own_arch, "/"), arch ? arch : own_arch,
			 variant ? "/" : "", variant ? variant : "");
}

static void add_flag(struct strv *flags, const char *name, const char *value)
{
	if (value)
		strv_addf(flags, "--%s=%s", name, value);
}

void given_registry(const struct given_registry *given, struct strv *ret)
{
	add_flag(ret, "tls-verify", given->tls_verify);
	add_flag(ret, "authfile", given->auth_file);
	add_flag(ret, "creds", given->credentials);
	add_flag(ret, "cert-dir", given->cert_dir);
}

int given_only(const struct given_only *given, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (given[i].text && !text_has_word(given[i].only, given[i].text))
			return error_set(err, -EINVAL, "--%s can only be %s, not '%.40s': %s",
					 given[i].name, given[i].only, given[i].text, given[i].why);
	return 0;
}

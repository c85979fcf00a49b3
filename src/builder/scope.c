/* src/builder/scope.c */
#include "builder/scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "builder/instruction.h"
#include "engine/config.h"
#include "image/platform.h"

static const char *const proxies[] = {
	"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY",
	"ftp_proxy",  "NO_PROXY",   "no_proxy",    "ALL_PROXY",   "all_proxy",
};

bool scope_is_proxy(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		if (strcmp(proxies[i], name) == 0)
			return true;
	return false;
}

void scope_proxies(struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		if (getenv(proxies[i]))
			strv_addf(ret, "%s=%s", proxies[i], getenv(proxies[i]));
}

/* "linux/arm/v7" as PREFIXPLATFORM, PREFIXOS, PREFIXARCH, PREFIXVARIANT. */
static void add_platform(struct strv *ret, const char *prefix, const char *platform)
{
	size_t os = strcspn(platform, "/");
	const char *arch = platform[os] ? platform + os + 1 : "";
	size_t n = strcspn(arch, "/");

	strv_addf(ret, "%sPLATFORM=%s", prefix, platform);
	strv_addf(ret, "%sOS=%.*s", prefix, (int)os, platform);
	strv_addf(ret, "%sARCH=%.*s", prefix, (int)n, arch);
	strv_addf(ret, "%sVARIANT=%s", prefix, arch[n] ? arch + n + 1 : "");
}

int scope_given_init(struct scope_given *given, const struct strv *build_args, const char *platform,
		     struct error *err)
{
	char own[PLATFORM_LEN];

	*given = (struct scope_given) { .args = { 0 } };
	for (size_t i = 0; i < build_args->n; i++) {
		const char *arg = build_args->items[i];
		autofree char *copied = NULL;
		const char *ours;

		if (!*arg || *arg == '=') {
			scope_given_done(given);
			return error_set(err, -EINVAL, "--build-arg '%s': expected NAME=VALUE",
					 arg);
		}
		ours = strchr(arg, '=') ? NULL : getenv(arg);
		copied = ours ? xasprintf("%s=%s", arg, ours) : NULL;
		if (copied || strchr(arg, '='))
			strv_env_set(&given->args, copied ? copied : arg);
	}
	platform_own(own);
	add_platform(&given->platforms, "BUILD", own);
	add_platform(&given->platforms, "TARGET", platform ? platform : own);
	return 0;
}

void scope_given_done(struct scope_given *given)
{
	strv_done(&given->args);
	strv_done(&given->platforms);
	strv_done(&given->global);
}

void scope_done(struct scope *scope)
{
	strv_done(&scope->args);
	strv_done(&scope->env);
	free(scope->failed);
	scope->failed = NULL;
}

static const char *look_up(void *data, const char *name)
{
	const struct scope *scope = data;
	const char *value = strv_env_get(&scope->env, name);

	if (!value)
		value = strv_env_get(&scope->args, name);
	if (!value && scope->is_global)
		value = strv_env_get(&scope->given->platforms, name);
	if (!value && scope_is_proxy(name))
		value = strv_env_get(&scope->given->args, name);
	/* What a container has for it where its image says nothing: "ENV PATH=/x:$PATH" adds. */
	if (!value && !scope->is_global && strcmp(name, "PATH") == 0)
		value = strchr(CONFIG_DEFAULT_PATH, '=') + 1;
	return value;
}

static void note_failed(void *data, const char *at)
{
	struct scope *scope = data;

	free(scope->failed);
	scope->failed = xstrdup(at);
}

struct word_scope scope_words(struct scope *scope)
{
	return (struct word_scope) {
		.get = look_up, .failed = note_failed, .data = scope, .escape = scope->escape
	};
}

/* The command line first, then the default here, then what the name meant before the first FROM. */
static int declare(struct scope *scope, const char *word, struct error *err)
{
	const struct word_scope words = scope_words(scope);
	size_t n = strcspn(word, "=");
	autofree char *name = NULL, *value = NULL, *assignment = NULL;
	const char *given;
	int r = 0;

	name = xstrndup(word, n);
	given = strv_env_get(&scope->given->args, name);
	if (!given && word[n])
		r = word_expand(&words, word + n + 1, &value, err);
	if (!given && !word[n] && !scope->is_global) {
		given = strv_env_get(&scope->given->global, name);
		if (!given)
			given = strv_env_get(&scope->given->platforms, name);
	}
	if (r < 0 || (!given && !value))
		return r;
	assignment = xasprintf("%s=%s", name, given ? given : value);
	strv_env_set(&scope->args, assignment);
	return 0;
}

int scope_declare(struct scope *scope, const struct instruction *ins, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ins->words.n; i++)
		r = declare(scope, ins->words.items[i], err);
	return r;
}

void scope_run_env(const struct scope *scope, bool with_proxies, struct strv *ret)
{
	for (size_t i = 0; with_proxies && i < ARRAY_SIZE(proxies); i++) {
		const char *value = strv_env_get(&scope->given->args, proxies[i]);

		if (value)
			strv_addf(ret, "%s=%s", proxies[i], value);
	}
	for (size_t i = 0; i < scope->args.n; i++) {
		const char *arg = scope->args.items[i];
		autofree char *name = xstrndup(arg, strcspn(arg, "="));

		if (!strv_env_get(&scope->env, name) && !scope_is_proxy(name))
			strv_add(ret, arg);
	}
}

void scope_given_unused(const struct scope_given *given, const struct strv *declared,
			struct strv *ret)
{
	for (size_t i = 0; i < given->args.n; i++) {
		autofree char *name =
			xstrndup(given->args.items[i], strcspn(given->args.items[i], "="));

		/* Those steer the build itself. */
		if (strncmp(name, "BUILDKIT_", 9) == 0 || strcmp(name, "SOURCE_DATE_EPOCH") == 0)
			continue;
		if (!scope_is_proxy(name) && !strv_has(declared, name))
			strv_add(ret, name);
	}
}

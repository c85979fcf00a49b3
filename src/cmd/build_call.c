/* src/cmd/build_call.c */
#include "cmd/build_call.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "builder/containerfile.h"
#include "builder/context.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

int call_parse(const char *text, bool check, struct call *ret, struct error *err)
{
	static const struct {
		const char *word;
		enum look_call what;
	} words[] = { { "check", LOOK_CHECK },
		      { "lint", LOOK_CHECK },
		      { "outline", LOOK_OUTLINE },
		      { "targets", LOOK_TARGETS } };
	size_t len = text ? strcspn(text, ",") : 0;
	const char *format = text && text[len] ? text + len + 1 : "";

	*ret = (struct call) { .builds = !check, .what = LOOK_CHECK };
	if (*format && strcmp(format, "format=json") != 0 && strcmp(format, "format=text") != 0)
		return error_set(err, -EINVAL, "--call: '%.40s' is not format=json or format=text",
				 format);
	ret->json = strcmp(format, "format=json") == 0;
	if (!text || (len == 5 && strncmp(text, "build", len) == 0))
		return 0;
	ret->builds = false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) != len || strncmp(words[i].word, text, len) != 0)
			continue;
		ret->what = words[i].what;
		return 0;
	}
	return error_set(err, -EINVAL, "--call is build, check, outline or targets, not '%.*s'",
			 (int)MIN(len, (size_t)40), text);
}

static void print_clean(const char *format, const char *text)
{
	autofree char *clean = xstrdup(text);

	text_clean(clean);
	(void)printf(format, clean);
}

static void print_check(const json_t *doc, const struct context *context)
{
	const json_t *list = json_object_get(doc, "warnings"), *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const json_t *ranges = json_object_get(json_object_get(one, "location"), "ranges");
		const json_t *start = json_object_get(json_array_get(ranges, 0), "start");
		const struct fault place = {
			.line = (unsigned)json_integer_value(json_object_get(start, "line")),
			.column = (unsigned)json_integer_value(json_object_get(start, "character")),
		};
		autofree char *shown = fault_show(&place, context->file, context->len);

		(void)printf("%s:%u: %s: ", context->name, place.line, text_of(one, "ruleName"));
		print_clean("%s\n", text_of(one, "detail"));
		(void)printf("%s\n", shown);
	}
	if (i == 0)
		(void)puts("no warnings");
}

static void print_targets(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "targets"), *one;
	size_t i;

	(void)printf("%-24s %-24s %s\n", "TARGET", "BASE", "DESCRIPTION");
	json_array_foreach (list, i, one) {
		autofree char *unnamed = xasprintf("%zu", i);
		const char *name = *text_of(one, "name") ? text_of(one, "name") : unnamed;
		autofree char *shown = xasprintf(
			"%s%s", name,
			json_is_true(json_object_get(one, "default")) ? " (default)" : "");

		print_clean("%-24s ", shown);
		print_clean("%-24s ", text_of(one, "base"));
		print_clean("%s\n", text_of(one, "description"));
	}
}

static void print_list(const json_t *doc, const char *key, const char *head, const char *name,
		       const char *second)
{
	const json_t *list = json_object_get(doc, key), *one;
	size_t i;

	if (json_array_size(list) > 0)
		(void)printf("\n%s\n", head);
	json_array_foreach (list, i, one) {
		print_clean("%-24s ", text_of(one, name));
		if (second)
			print_clean("%-24s ", text_of(one, second));
		print_clean("%s\n", json_is_true(json_object_get(one, "required"))
					    ? "required"
					    : text_of(one, "description"));
	}
}

static void print_outline(const json_t *doc)
{
	print_clean("TARGET: %s\n",
		    *text_of(doc, "name") ? text_of(doc, "name") : "the last stage");
	if (*text_of(doc, "description"))
		print_clean("%s\n", text_of(doc, "description"));
	print_list(doc, "args", "ARGUMENT                 VALUE                    DESCRIPTION",
		   "name", "value");
	print_list(doc, "secrets", "SECRET", "name", NULL);
	print_list(doc, "ssh", "SSH KEY", "name", NULL);
	print_list(doc, "cache", "CACHE", "ID", NULL);
}

size_t call_print(const struct call *call, const json_t *doc, const struct context *context)
{
	if (call->json) {
		autofree char *text = json_dumps(doc, JSON_INDENT(2));

		(void)puts(text ? text : "{}");
	} else {
		switch (call->what) {
		case LOOK_CHECK:
			print_check(doc, context);
			break;
		case LOOK_OUTLINE:
			print_outline(doc);
			break;
		case LOOK_TARGETS:
			print_targets(doc);
			break;
		}
	}
	return call->what == LOOK_CHECK ? json_array_size(json_object_get(doc, "warnings")) : 0;
}

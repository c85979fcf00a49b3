/* src/base/opt.c */
#include "base/opt.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/text.h"

/* What one argument named: the row, the field, and how to call it in an error. */
struct found {
	const struct opt *opt;
	void *field;
	char called[80];
};

static bool find(const struct opt_set *sets, const char *name, size_t len, char letter,
		 struct found *ret)
{
	for (; sets->opts; sets++) {
		for (const struct opt *o = sets->opts; o->name; o++) {
			bool same =
				letter ? o->letter == letter
				       : strlen(o->name) == len && memcmp(o->name, name, len) == 0;

			if (!same)
				continue;
			ret->opt = o;
			ret->field = (char *)sets->fields + o->offset;
			if (letter)
				(void)snprintf(ret->called, sizeof(ret->called), "-%c", letter);
			else
				(void)snprintf(ret->called, sizeof(ret->called), "--%s", o->name);
			return true;
		}
	}
	return false;
}

static int unknown(const struct opt_set *sets, const char *name, struct error *err)
{
	struct nearest near = nearest_init(name);

	for (; sets->opts; sets++)
		for (const struct opt *o = sets->opts; o->name; o++)
			if (o->kind != OPT_NOT_HERE)
				nearest_try(&near, o->name);
	if (!near.best)
		return error_set(err, -ENOENT, "unknown option --%.100s", name);
	return error_set(err, -ENOENT, "unknown option --%.100s (did you mean --%s?)", name,
			 near.best);
}

static int parse_bool(const struct found *f, const char *value, struct error *err)
{
	bool *field = f->field;

	if (!value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*field = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*field = false;
	else
		return error_set(err, -EINVAL, "%s wants true or false, not '%s'", f->called,
				 value);
	return 0;
}

static int refuse(const struct opt *opt, struct error *err)
{
	return error_set(err, -EINVAL, "--%s: %s", opt->name, opt->help);
}

static int assign(const struct found *f, const char *value, struct error *err)
{
	int64_t number = 0;

	switch (f->opt->kind) {
	case OPT_BOOL:
		return parse_bool(f, value, err);
	case OPT_INT:
		if (number_parse_signed(value, INT_MIN, INT_MAX, &number) < 0)
			return error_set(err, -EINVAL, "%s wants a number, not '%s'", f->called,
					 value);
		*(int *)f->field = (int)number;
		return 0;
	case OPT_SIZE:
		if (number_parse_size(value, f->field) < 0)
			return error_set(err, -EINVAL,
					 "%s wants a size such as 64m or 2g, not '%s'", f->called,
					 value);
		return 0;
	case OPT_STRING:
		*(const char **)f->field = value;
		return 0;
	case OPT_LIST:
		strv_add(f->field, value);
		return 0;
	case OPT_NOT_HERE:
		return refuse(f->opt, err);
	}
	return 0;
}

/* argv[i] starts with "--".  Returns the number of arguments used. */
static int parse_long(const struct opt_set *sets, int left, char **argv, struct error *err)
{
	const char *name = argv[0] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const char *value = equals ? equals + 1 : NULL;
	struct found f;
	int used = 1, r;

	if (!find(sets, name, len, 0, &f)) {
		autofree char *alone = xstrndup(name, len);

		return unknown(sets, alone, err);
	}
	if (f.opt->kind == OPT_NOT_HERE)
		return refuse(f.opt, err);
	if (!value && left > 1 && text_has_word(f.opt->words, argv[1]))
		return error_set(
			err, -EINVAL,
			"%s takes its value behind a '=': %s=%s; an operand of this name is ./%s",
			f.called, f.called, argv[1], argv[1]);
	if (!value)
		value = f.opt->bare;
	if (f.opt->kind != OPT_BOOL && !value) {
		if (left < 2)
			return error_set(err, -EINVAL, "%s wants a value", f.called);
		value = argv[1];
		used = 2;
	}
	r = assign(&f, value, err);
	return r < 0 ? r : used;
}

/* The value of the short option at p, in its own argument or the next; NULL if it has none. */
static const char *short_value(const struct opt *opt, const char *p, int left, char **argv,
			       int *ret_used)
{
	*ret_used = 1;
	if (p[1] == '=' && p[2])
		return p + 2;
	if (opt->kind == OPT_BOOL)
		return NULL;
	if (p[1])
		return p + 1;
	*ret_used = 2;
	return left > 1 ? argv[1] : NULL;
}

/* argv[i] is "-x...": flags until one that takes a value, which is the rest, with or without "=",
 * or the next argument.  A flag alone may be given one: -d=false.
 */
static int parse_short(const struct opt_set *sets, int left, char **argv, struct error *err)
{
	for (const char *p = argv[0] + 1; *p; p++) {
		const char *value;
		struct found f;
		int used, r;

		if (!find(sets, "", 0, *p, &f))
			return error_set(err, -ENOENT, "unknown option -%c", *p);
		value = short_value(f.opt, p, left, argv, &used);
		if (f.opt->kind != OPT_BOOL && !value)
			return error_set(err, -EINVAL, "%s wants a value", f.called);
		r = assign(&f, value, err);
		if (r < 0 || value)
			return r < 0 ? r : used;
	}
	return 1;
}

int opt_parse(const struct opt_set *sets, enum opt_flags flags, int argc, char **argv,
	      struct error *err)
{
	int operands = 0, i = 0;

	while (i < argc) {
		char *arg = argv[i];
		int used;

		if (strcmp(arg, "--") == 0) {
			i++;
			break;
		}
		if (arg[0] != '-' || arg[1] == '\0') {
			if (flags & OPT_FIRST_OPERAND)
				break;
			argv[operands++] = arg;
			i++;
			continue;
		}
		used = arg[1] == '-' ? parse_long(sets, argc - i, argv + i, err)
				     : parse_short(sets, argc - i, argv + i, err);
		if (used < 0)
			return used;
		i += used;
	}
	while (i < argc)
		argv[operands++] = argv[i++];
	argv[operands] = NULL;
	return operands;
}

static void format_one(const struct opt *o, const void *field, struct strv *ret)
{
	const struct strv *list = field;

	switch (o->kind) {
	case OPT_BOOL:
		if (*(const bool *)field)
			strv_addf(ret, "--%s", o->name);
		return;
	case OPT_INT:
		if (*(const int *)field)
			strv_addf(ret, "--%s=%d", o->name, *(const int *)field);
		return;
	case OPT_SIZE:
		if (*(const uint64_t *)field)
			strv_addf(ret, "--%s=%llu", o->name,
				  (unsigned long long)*(const uint64_t *)field);
		return;
	case OPT_STRING:
		if (*(const char *const *)field)
			strv_addf(ret, "--%s=%s", o->name, *(const char *const *)field);
		return;
	case OPT_LIST:
		for (size_t i = 0; i < list->n; i++)
			strv_addf(ret, "--%s=%s", o->name, list->items[i]);
		return;
	case OPT_NOT_HERE:
		return;
	}
}

void opt_format(const struct opt *opts, const void *fields, struct strv *ret)
{
	for (const struct opt *o = opts; o && o->name; o++)
		format_one(o, (const char *)fields + o->offset, ret);
}

void opt_done(const struct opt *opts, void *fields)
{
	for (const struct opt *o = opts; o && o->name; o++)
		if (o->kind == OPT_LIST)
			strv_done((struct strv *)((char *)fields + o->offset));
}

void opt_help(const struct opt *opts, FILE *to)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		char left[80];

		if (o->kind == OPT_NOT_HERE)
			continue;
		(void)snprintf(left, sizeof(left), "--%s%s%s%s", o->name,
			       o->bare      ? "[="
			       : o->operand ? " "
					    : "",
			       o->operand ? o->operand : "", o->bare ? "]" : "");
		(void)fprintf(to, "  %c%c%c %-26s %s%s\n", o->letter ? '-' : ' ',
			      o->letter ? o->letter : ' ', o->letter ? ',' : ' ', left, o->help,
			      o->kind == OPT_LIST ? " (repeatable)" : "");
	}
}

/* src/base/strv.c */
#include "base/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void strv_done(struct strv *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv) { 0 };
}

void strv_take(struct strv *v, char *s)
{
	if (v->n + 1 >= v->room) {
		v->room = v->room ? v->room * 2 : 8;
		v->items = xrealloc(v->items, v->room, sizeof(*v->items));
	}
	v->items[v->n++] = s;
	v->items[v->n] = NULL;
}

void strv_add(struct strv *v, const char *s)
{
	strv_take(v, xstrdup(s));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	strv_take(v, text);
}

void strv_extend(struct strv *v, char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strv_add(v, items[i]);
}

bool strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->items[i], s) == 0)
			return true;
	return false;
}

void strv_env_set(struct strv *v, const char *assignment)
{
	size_t name = strcspn(assignment, "=");

	for (size_t i = 0; i < v->n; i++) {
		if (strncmp(v->items[i], assignment, name) != 0 || v->items[i][name] != '=')
			continue;
		free(v->items[i]);
		v->items[i] = xstrdup(assignment);
		return;
	}
	strv_add(v, assignment);
}

const char *strv_env_get(const struct strv *v, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < v->n; i++)
		if (strncmp(v->items[i], name, len) == 0 && v->items[i][len] == '=')
			return v->items[i] + len + 1;
	return NULL;
}

void strv_env_unset(struct strv *v, const char *name)
{
	size_t len = strlen(name), kept = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (strncmp(v->items[i], name, len) == 0 && v->items[i][len] == '=')
			free(v->items[i]);
		else
			v->items[kept++] = v->items[i];
	}
	v->n = kept;
	if (v->items)
		v->items[kept] = NULL;
}

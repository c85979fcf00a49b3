/* src/cmd/ps_filter.c */
#include "cmd/ps_filter.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/strv.h"
#include "engine/container.h"
#include "engine/status.h"
#include "image/reference.h"

enum key { NAME, ID, STATUS, LABEL, ANCESTOR, NETWORK, EXITED, KEYS };

static const char *const keys[KEYS] = {
	[NAME] = "name",         [ID] = "id",           [STATUS] = "status", [LABEL] = "label",
	[ANCESTOR] = "ancestor", [NETWORK] = "network", [EXITED] = "exited",
};

/* Returns KEYS if there is no such key. */
static enum key split(const char *text, const char **ret_value)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;
	enum key key = 0;

	*ret_value = equals ? equals + 1 : "";
	while (key < KEYS &&
	       !(len && strlen(keys[key]) == len && memcmp(keys[key], text, len) == 0))
		key++;
	return key;
}

static bool status_is_known(const char *word)
{
	for (enum status_kind kind = STATUS_CREATED; kind <= STATUS_EXITED; kind++) {
		const struct status s = { .kind = kind };

		if (strcmp(word, status_word(&s)) == 0)
			return true;
	}
	return false;
}

int ps_filter_check(const struct strv *texts, struct error *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->items[i], *value;
		enum key key = split(text, &value);
		uint64_t number;

		if (key == KEYS || !*value)
			return error_set(err, -EINVAL,
					 "--filter '%s': expected name=, id=, status=, label=, "
					 "ancestor=, network= or exited= and a value",
					 text);
		if (key == STATUS && !status_is_known(value))
			return error_set(err, -EINVAL,
					 "--filter '%s': a container is created, running or exited",
					 text);
		if (key == EXITED && number_parse(value, 255, &number) < 0)
			return error_set(err, -EINVAL, "--filter '%s': an exit status is 0 to 255",
					 text);
	}
	return 0;
}

bool ps_filter_wants_all(const struct strv *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *value;
		enum key key = split(texts->items[i], &value);

		if (key == STATUS || key == EXITED)
			return true;
	}
	return false;
}

/* "key" or "key=value". */
static bool has_label(const struct container *c, const char *wanted)
{
	size_t len = strlen(wanted);
	bool whole = strchr(wanted, '=') != NULL;

	for (size_t i = 0; i < c->labels.n; i++) {
		const char *label = c->labels.items[i];

		if (strcmp(label, wanted) == 0 ||
		    (!whole && strncmp(label, wanted, len) == 0 && label[len] == '='))
			return true;
	}
	return false;
}

static bool is_ancestor(const struct container *c, const char *wanted)
{
	char have[REFERENCE_MAX], want[REFERENCE_MAX];
	const char *hex = strncmp(wanted, "sha256:", 7) == 0 ? wanted + 7 : wanted;

	if (strcmp(c->source, wanted) == 0)
		return true;
	if (!c->image_id)
		return false;
	if (id_is_hex(hex) && strncmp(c->image_id, hex, strlen(hex)) == 0)
		return true;
	return reference_canonical(c->source, have, NULL) == 0 &&
	       reference_canonical(wanted, want, NULL) == 0 && strcmp(have, want) == 0;
}

/* An expression as grep -E has it; one that is none is a part of the name. */
static bool name_fits(const char *name, const char *value)
{
	regex_t regex;
	bool fits;

	if (regcomp(&regex, value, REG_EXTENDED | REG_NOSUB) != 0)
		return strstr(name, value) != NULL;
	fits = regexec(&regex, name, 0, NULL, 0) == 0;
	regfree(&regex);
	return fits;
}

static bool one_fits(enum key key, const char *value, const struct container *c,
		     const struct status *s)
{
	char code[16];

	switch (key) {
	case NAME:
		return name_fits(c->name, value);
	case ID:
		return strncmp(c->id, value, strlen(value)) == 0;
	case STATUS:
		return strcmp(status_word(s), value) == 0;
	case LABEL:
		return has_label(c, value);
	case ANCESTOR:
		return is_ancestor(c, value);
	case NETWORK:
		return strcmp(c->network, value) == 0;
	case EXITED:
		(void)snprintf(code, sizeof(code), "%d", s->exit_code);
		return s->kind == STATUS_EXITED && strcmp(code, value) == 0;
	case KEYS:
		break;
	}
	return false;
}

bool ps_filter_fits(const struct strv *texts, const struct container *c, const struct status *s)
{
	bool asked[KEYS] = { false }, fits[KEYS] = { false };

	for (size_t i = 0; i < texts->n; i++) {
		const char *value;
		enum key key = split(texts->items[i], &value);
		bool one;

		if (key >= KEYS)
			return false;
		one = one_fits(key, value, c, s);
		fits[key] = !asked[key] ? one : key == LABEL ? fits[key] && one : fits[key] || one;
		asked[key] = true;
	}
	for (enum key key = 0; key < KEYS; key++)
		if (asked[key] && !fits[key])
			return false;
	return true;
}

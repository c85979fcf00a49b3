/* tests/fuzz/fuzz_word.c */
#include "builder/word.h"
#include "fuzz.h"

struct input {
	const char *value;
};

/* Every second name has a value. */
static const char *get(void *data, const char *name)
{
	const struct input *in = data;

	return strlen(name) % 2 ? in->value : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *value = fuzz_text(&data, &size), *text = fuzz_text(&data, &size);
	struct input in = { value };
	struct word_scope scope = { .get = get, .data = &in, .escape = size % 2 ? '`' : '\\' };
	struct strv words = { 0 };
	struct error err = { 0 };
	autofree char *whole = NULL;
	int r = word_expand(&scope, text, &whole, &err);

	fuzz_must(r == 0 || err.text[0]);
	fuzz_must(word_split(&scope, text, &words, NULL) == r);
	for (size_t i = 0; i < words.n; i++)
		fuzz_must(words.items[i][0] && strstr(whole, words.items[i]));
	strv_done(&words);
	return 0;
}

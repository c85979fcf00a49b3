/* src/why/names.c */
#include "why/names.h"

#include <string.h>

#include "base/alloc.h"
#include "base/id.h"

#define FIRST_ROOM 64

static struct named *slot_of(const struct names *names, const char *name)
{
	size_t at = hash_bytes(name, strlen(name)) & (names->room - 1);

	while (names->slots[at].name && strcmp(names->slots[at].name, name) != 0)
		at = (at + 1) & (names->room - 1);
	return &names->slots[at];
}

static void grow(struct names *names)
{
	struct names larger = { .n = names->n, .room = names->room ? 2 * names->room : FIRST_ROOM };

	larger.slots = xcalloc(larger.room, sizeof(*larger.slots));
	for (size_t i = 0; i < names->room; i++)
		if (names->slots[i].name)
			*slot_of(&larger, names->slots[i].name) = names->slots[i];
	free(names->slots);
	*names = larger;
}

void names_add(struct names *names, const char *name, void *item)
{
	struct named *slot;

	if (2 * (names->n + 1) > names->room)
		grow(names);
	slot = slot_of(names, name);
	names->n += !slot->name;
	*slot = (struct named) { name, item };
}

void *names_find(const struct names *names, const char *name)
{
	return names->room > 0 ? slot_of(names, name)->item : NULL;
}

void names_done(struct names *names)
{
	free(names->slots);
	*names = (struct names) { 0 };
}

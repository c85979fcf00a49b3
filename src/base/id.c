/* src/base/id.c */
#include "base/id.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int random_bytes(void *ret, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = getrandom((char *)ret + got, len - got, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		got += (size_t)n;
	}
	return 0;
}

int id_new(char ret[ID_LEN + 1])
{
	unsigned char bytes[ID_LEN / 2];
	int r = random_bytes(bytes, sizeof(bytes));

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

bool id_is_hex(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef");

	return len > 0 && len <= ID_LEN && s[len] == '\0';
}

bool name_is_valid(const char *s)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	static const char later[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
	size_t len = strlen(s);

	return len > 0 && len <= NAME_LEN_MAX && strchr(first, s[0]) && strspn(s, later) == len;
}

/* Ship's words, to fit the product; whoever finds the name taken puts something behind it. */
int name_new(char ret[64])
{
	static const char *const how[] = {
		"able",  "bold",  "brisk", "bright", "calm",  "clear", "deep",  "eager",
		"early", "fair",  "fast",  "firm",   "fresh", "grand", "green", "hardy",
		"keen",  "light", "lucky", "mild",   "neat",  "noble", "open",  "proud",
		"quick", "quiet", "sharp", "smart",  "snug",  "sound", "swift", "trim",
	};
	static const char *const what[] = {
		"anchor", "beacon", "bosun",  "brig",   "buoy",  "cable", "cog",    "cutter",
		"deck",   "dinghy", "ferry",  "galley", "hatch", "helm",  "hull",   "jib",
		"keel",   "ketch",  "lugger", "mast",   "oar",   "plank", "rudder", "sail",
		"sloop",  "spar",   "stern",  "tender", "tug",   "wake",  "winch",  "yawl",
	};
	uint32_t bits;
	int r = random_bytes(&bits, sizeof(bits));

	if (r < 0)
		return r;
	(void)snprintf(ret, 64, "%s_%s", how[bits % ARRAY_SIZE(how)],
		       what[(bits >> 16) % ARRAY_SIZE(what)]);
	return 0;
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

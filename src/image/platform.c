/* src/image/platform.c */
#include "image/platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/number.h"
#include "image/document.h"

#define RANK_NEWER 1000

static const struct {
	const char *other, *name;
} architectures[] = {
	{ "x86_64", "amd64" },
	{ "x86-64", "amd64" },
	{ "aarch64", "arm64" },
	{ "armv8l", "arm/v8" },
	{ "armhf", "arm/v7" },
	{ "armv7l", "arm/v7" },
	{ "armel", "arm/v6" },
	{ "armv6l", "arm/v6" },
	{ "i686", "386" },
	{ "i586", "386" },
	{ "i386", "386" },
	{ "ppc64el", "ppc64le" },
	{ "loongarch64", "loong64" },
};

/* A word alone: anything else is a slip of the hand.  With a system before it there may be more. */
static const char *const alone[] = {
	"386",  "amd64",  "arm",      "arm/v5", "arm/v6", "arm/v7",  "arm/v8",  "arm64", "loong64",
	"mips", "mips64", "mips64le", "mipsle", "ppc64",  "ppc64le", "riscv64", "s390x", "wasm",
};

static bool is_known(const char *arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
		if (strcmp(alone[i], arch) == 0)
			return true;
	return false;
}

static const char *usual_name(const char *arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (strcmp(architectures[i].other, arch) == 0)
			return architectures[i].name;
	return arch;
}

void platform_own(char ret[PLATFORM_LEN])
{
	struct utsname uts;

	(void)uname(&uts);
	(void)snprintf(ret, PLATFORM_LEN, "linux/%.40s", usual_name(uts.machine));
}

int platform_parse(const char *text, char ret[PLATFORM_LEN], struct error *err)
{
	autofree char *copy = NULL;
	char *arch, *variant;

	if (!text) {
		platform_own(ret);
		return 0;
	}
	copy = xstrdup(text);
	arch = strchr(copy, '/');
	if (strlen(text) >= PLATFORM_LEN - 8 || !*copy || (arch && !arch[1]) ||
	    (!arch && !is_known(usual_name(copy))) ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-./") != strlen(text))
		return error_set(err, -EINVAL,
				 "'%.60s' is no platform; write OS/ARCHITECTURE[/VARIANT], such as "
				 "linux/arm64",
				 text);
	if (!arch) {
		(void)snprintf(ret, PLATFORM_LEN, "linux/%s", usual_name(copy));
		return 0;
	}
	*arch++ = '\0';
	variant = strchr(arch, '/');
	if (variant)
		*variant++ = '\0';
	(void)snprintf(ret, PLATFORM_LEN, "%s/%s%s%s", copy, usual_name(arch), variant ? "/" : "",
		       variant ? variant : "");
	return 0;
}

int platform_demand(const char *os, const char *arch, const char *wish, struct error *err)
{
	char wanted[PLATFORM_LEN];
	autofree char *have = NULL;
	int r = wish ? platform_parse(wish, wanted, err) : 0;

	if (r < 0 || !wish || !os || !arch)
		return r;
	/* The document says no variant: linux/arm may well be the linux/arm/v7 that is asked for.
	 */
	have = xasprintf("%s/%s", os, arch);
	if (platform_fits(have, wanted) || platform_fits(wanted, have))
		return 0;
	return error_set(err, -EINVAL, "the image is %.60s, not %s, and has no other variant", have,
			 wanted);
}

/* "os/arch" of "os/arch/variant", and the variant or "". */
static size_t split(const char *platform, const char **ret_variant)
{
	const char *first = strchr(platform, '/'), *second = first ? strchr(first + 1, '/') : NULL;

	*ret_variant = second ? second + 1 : "";
	return second ? (size_t)(second - platform) : strlen(platform);
}

/* The number of "v7"; the usual one if there is none; -1 if it is no number. */
static int variant_number(const char *platform, size_t len, const char *variant)
{
	static const struct {
		const char *arch;
		int usual;
	} usuals[] = { { "/arm64", 8 }, { "/arm", 7 }, { "/amd64", 1 } };
	uint64_t n;

	if (*variant == 'v' && number_parse(variant + 1, 99, &n) == 0)
		return (int)n;
	for (size_t i = 0; !*variant && i < ARRAY_SIZE(usuals); i++) {
		size_t tail = strlen(usuals[i].arch);

		if (len > tail && strncmp(platform + len - tail, usuals[i].arch, tail) == 0)
			return usuals[i].usual;
	}
	return -1;
}

int platform_rank(const char *platform, const char *wish)
{
	const char *variant, *wanted;
	size_t len = split(platform, &variant), wish_len = split(wish, &wanted);
	int have, want;

	if (len != wish_len || strncmp(platform, wish, len) != 0)
		return -1;
	if (strcmp(variant, wanted) == 0)
		return 0;
	have = variant_number(platform, len, variant);
	want = variant_number(wish, wish_len, wanted);
	if (have < 0 || want < 0)
		return *wanted ? -1 : 1;
	if (have <= want)
		return 1 + want - have;
	return *wanted ? -1 : RANK_NEWER + have;
}

bool platform_fits(const char *platform, const char *wish)
{
	return platform_rank(platform, wish) >= 0;
}

int platform_choose(const struct document *index, const char *wish)
{
	int best = -1, best_rank = -1;

	for (size_t i = 0; i < index->n; i++) {
		int rank = platform_rank(index->parts[i].platform, wish);

		if (rank < 0 || (best >= 0 && rank >= best_rank))
			continue;
		best = (int)i;
		best_rank = rank;
	}
	return best;
}

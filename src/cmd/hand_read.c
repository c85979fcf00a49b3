/* src/cmd/hand_read.c - options that all who make images read alike */
#include <string.h>

#include "base/number.h"
#include "base/strv.h"
#include "cmd/hand.h"
#include "image/commit.h"
#include "image/reference.h"

int read_image_names(const struct strv *names, const char *option, struct strv *ret,
		     struct error *err)
{
	char canonical[REFERENCE_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		r = reference_canonical(names->items[i], canonical, err);
		if (r == 0 && strchr(canonical, '@'))
			r = error_set(err, -EINVAL, "%s '%s': a digest is no name to give", option,
				      names->items[i]);
		if (r == 0)
			strv_add(ret, canonical);
	}
	return r;
}

int read_timestamp(const char *text, int64_t *ret, struct error *err)
{
	uint64_t seconds;

	if (!text)
		return source_date_epoch(ret, err);
	if (number_parse(text, INT64_MAX / 1000000000 - 1, &seconds) < 0)
		return error_set(err, -EINVAL, "--timestamp '%.40s' is not a number of seconds",
				 text);
	*ret = (int64_t)seconds;
	return 0;
}

/* src/cni/failure.c */
#include "cni/failure.h"

#include <stdarg.h>
#include <stdio.h>

int cni_fail(struct cni_failure *f, enum cni_code code, int r, const char *fmt, ...)
{
	char text[sizeof(f->err.text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->code = code;
	return error_set(&f->err, r, "%s", text);
}

int cni_fail_from(struct cni_failure *f, int r)
{
	static const struct {
		int r;
		enum cni_code code;
	} table[] = {
		{ -EINVAL, CNI_CONFIG },        { -ENOENT, CNI_CONFIG },    { -EBUSY, CNI_AGAIN },
		{ -ENOSPC, CNI_NO_ADDRESS },    { -EADDRINUSE, CNI_TAKEN }, { -EEXIST, CNI_TAKEN },
		{ -EADDRNOTAVAIL, CNI_CONFIG }, { -EIO, CNI_IO },
	};

	if (!f->err.text[0])
		(void)error_sys(&f->err, r, "failed");
	f->code = CNI_FAILED;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].r == r)
			f->code = table[i].code;
	return r;
}

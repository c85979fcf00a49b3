/* src/base/error.c */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void error_fill(struct error *err, int r, const char *tail, const char *fmt, va_list ap)
{
	char text[sizeof(err->text)];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	if (n >= 0 && (size_t)n < sizeof(text) && tail)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ": %s", tail);
	text_clean(text);
	(void)snprintf(err->text, sizeof(err->text), "%s", text);
	err->code = r;
}

int error_set(struct error *err, int r, const char *fmt, ...)
{
	va_list ap;

	assert(r < 0);
	if (!err)
		return r;
	va_start(ap, fmt);
	error_fill(err, r, NULL, fmt, ap);
	va_end(ap);
	return r;
}

/* The newest call that nothing here does without is mount_setattr(2). */
static const char *reason(int r)
{
	return r == -ENOSYS ? "this kernel cannot do that; Linux 5.12 or newer can" : strerror(-r);
}

int error_sys(struct error *err, int r, const char *fmt, ...)
{
	va_list ap;

	assert(r < 0);
	if (!err)
		return r;
	va_start(ap, fmt);
	error_fill(err, r, reason(r), fmt, ap);
	va_end(ap);
	return r;
}

int error_wrap(struct error *err, int r, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list ap;

	assert(r < 0);
	if (!err)
		return r;
	(void)snprintf(old, sizeof(old), "%s", err->text[0] ? err->text : strerror(-r));
	va_start(ap, fmt);
	error_fill(err, r, old, fmt, ap);
	va_end(ap);
	return r;
}

int error_send(int fd, const struct error *err)
{
	ssize_t n;

	do
		n = write(fd, err, sizeof(*err));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*err) ? 0 : n < 0 ? -errno : -EIO;
}

int error_receive(int fd, struct error *ret)
{
	struct error err = { 0 };
	size_t got = 0;

	while (got < sizeof(err)) {
		ssize_t n = read(fd, (char *)&err + got, sizeof(err) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return got == 0 ? 0 : -EPROTO;
		got += (size_t)n;
	}
	if (err.code > 0 || err.status < 0 || err.status > 255)
		return -EPROTO;
	err.text[sizeof(err.text) - 1] = '\0';
	text_clean(err.text);
	*ret = err;
	return 1;
}

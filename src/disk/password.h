/* src/disk/password.h - a password out of a file, hashed as the machine's own passwd would. */
#ifndef DISK_PASSWORD_H
#define DISK_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum password_method { PASSWORD_SHA512, PASSWORD_YESCRYPT };

struct password_request {
	const char *path; /* its first line is the password, or the hash; "-": standard input */
	bool hashed;
	enum password_method method;
	bool dated; /* the salt comes from name and date, so that the same disk can be made again */
	int64_t now_s;
	const char *name; /* of the account */
};

/* As crypt(5) wants it; the caller frees. The password is nowhere else when this returns. */
int password_hash(const struct password_request *req, char **ret, struct error *err) must_check;

#endif

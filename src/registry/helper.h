/* src/registry/helper.h - docker-credential-NAME: another program that keeps passwords.
 *
 * Its protocol: one verb as argument, the key or a JSON object on standard input, an object on
 * standard output.
 */
#ifndef REGISTRY_HELPER_H
#define REGISTRY_HELPER_H

#include "base/error.h"

struct credentials;

/* 1, or 0 if it has none for that key. */
int helper_get(const char *name, const char *key, struct credentials *ret,
	       struct error *err) must_check;
int helper_store(const char *name, const char *key, const struct credentials *c,
		 struct error *err) must_check;
int helper_erase(const char *name, const char *key, struct error *err) must_check;

#endif

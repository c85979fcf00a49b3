/* src/registry/certs.h - certs.d/HOST[:PORT]: *.crt are CAs, *.cert and *.key are ours. */
#ifndef REGISTRY_CERTS_H
#define REGISTRY_CERTS_H

#include "base/error.h"

struct tls;

/* dir NULL: /etc/containers/certs.d and /etc/docker/certs.d; else the directory itself. */
int certs_load(const char *dir, const char *host, struct tls *ret, struct error *err) must_check;

#endif

/* src/registry/fetch.h - one file by HTTP, for whoever knows only its URL.
 *
 * Standard input holds a request, {"url": ..., "authorization": ...}; standard output is a pipe
 * that gets a line of JSON with what the server says of the file, then its bytes.  Redirects are
 * followed without the authorization, a connection that breaks is taken up where it broke.
 */
#ifndef REGISTRY_FETCH_H
#define REGISTRY_FETCH_H

#include "base/error.h"

int fetch_run(int in, int out, struct error *err) must_check;

#endif

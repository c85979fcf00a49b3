/* src/registry/wire.h - messages between strake-image and strake-registry.
 *
 * One message is a JSON object, perhaps bytes behind it (a manifest), perhaps a descriptor beside
 * it (the pipe that a layer comes through).  A channel is a socket pair on which one side asks and
 * the other answers, in turn.  Either side takes the other for hostile: sizes are bounded before
 * anything is allocated.
 */
#ifndef REGISTRY_WIRE_H
#define REGISTRY_WIRE_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

#define WIRE_JSON_MAX (8U << 20) /* a list of 100,000 tags */
#define WIRE_BODY_MAX (4U << 20) /* a document: what registries take for a manifest */

struct wire_message {
	json_t *doc;
	char *body; /* NUL-terminated, or NULL */
	size_t body_len;
	int fd; /* -1 if none came */
};
#define WIRE_MESSAGE_INIT ((struct wire_message) { .fd = -1 })

void wire_message_done(struct wire_message *m);

/* body may be NULL, fd -1. */
int wire_send(int sock, const json_t *doc, const void *body, size_t len, int fd,
	      struct error *err) must_check;
/* 1, 0 when the other side has closed, -errno.  *ret is wire_message_done()'s. */
int wire_receive(int sock, struct wire_message *ret, struct error *err) must_check;

#endif

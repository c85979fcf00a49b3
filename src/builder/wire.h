/* src/builder/wire.h - what a build and its workers (crew.h) say to each other, through a socket
 * between two processes of one program.
 */
#ifndef BUILDER_WIRE_H
#define BUILDER_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct build_told;

enum wire_kind {
	WIRE_TOLD,   /* worker: what happens, for whoever shows it */
	WIRE_NEED,   /* worker: the number of a stage that it waits for */
	WIRE_STATE,  /* to it: that stage, state_dump() */
	WIRE_ALONE,  /* worker: it wants the terminal for itself */
	WIRE_GO,     /* to it: it has it */
	WIRE_DONE,   /* worker: its own stage, state_dump() */
	WIRE_FAILED, /* worker: struct wire_failure */
};

#define WIRE_MAX (64U << 20) /* of one message: a config document and its history */

struct wire_failure {
	struct error err;
	unsigned line, column; /* struct fault */
};

struct wire {
	enum wire_kind kind;
	struct buf bytes;
};
#define WIRE_INIT ((struct wire) { .bytes = BUF_INIT(WIRE_MAX) })
void wire_done(struct wire *wire);

int wire_send(int fd, enum wire_kind kind, const void *bytes, size_t len) must_check;
/* 1, or 0 at the end of all. */
int wire_receive(int fd, struct wire *ret) must_check;

int wire_send_told(int fd, const struct build_told *told) must_check;
/* ret's texts lie in wire. */
int wire_told(const struct wire *wire, struct build_told *ret) must_check;

#endif

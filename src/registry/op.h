/* src/registry/op.h - what strake-registry does when asked: one operation, one answer.
 *
 * A request is {"op": NAME, ...}, an answer {"r": 0 or -errno, "text": ..., "notes": [...], ...}.
 * The rows are in op.c; reading is op_read.c, uploading op_write.c, listing op_list.c.
 */
#ifndef REGISTRY_OP_H
#define REGISTRY_OP_H

#include <jansson.h>

#include "base/error.h"
#include "base/json.h"
#include "registry/session.h"
#include "registry/wire.h"

struct op {
	struct session *session;
	const struct wire_message *request;
	struct json_reader rd; /* of the request */
	const char *name;      /* the repository or host that it is about */
	json_t *answer;
	struct buf body; /* behind the answer */
};

typedef int op_fn(struct op *op, struct error *err);

op_fn op_manifest, op_document, op_blob, op_head;
op_fn op_greet, op_exists, op_mount, op_put, op_put_manifest;
op_fn op_tags, op_search, op_referrers, op_ping;

/* Runs one and fills answer and body; never fails itself. */
void op_run(struct session *s, const struct wire_message *request, json_t **ret_answer,
	    struct buf *ret_body);

/* For the operations: every place of the name in turn until one does it. */
typedef int op_try_fn(struct op *op, struct endpoint *e, void *data, struct error *err);
int op_each_place(struct op *op, bool by_digest, op_try_fn *fn, void *data,
		  struct error *err) must_check;
struct endpoint *op_target(struct op *op); /* where it is written to */
/* 200 and so on are fine, the rest is a refusal. */
int op_expect(const struct endpoint *e, const struct http_response *r, int status, int other,
	      struct error *err) must_check;

#endif

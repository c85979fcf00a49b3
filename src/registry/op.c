/* src/registry/op.c */
#include "registry/op.h"

#include <string.h>

#include "base/alloc.h"
#include "image/reference.h"

static const struct {
	const char *name;
	op_fn *fn;
} ops[] = {
	{ "manifest", op_manifest },
	{ "head", op_head },
	{ "document", op_document },
	{ "blob", op_blob },
	{ "exists", op_exists },
	{ "mount", op_mount },
	{ "put", op_put },
	{ "tags", op_tags },
	{ "put-manifest", op_put_manifest },
	{ "referrers", op_referrers },
	{ "search", op_search },
	{ "ping", op_ping },
	{ "greet", op_greet },
};

struct endpoint *op_target(struct op *op)
{
	return session_endpoint(op->session, op->name, false, false, 0);
}

int op_each_place(struct op *op, bool by_digest, op_try_fn *fn, void *data, struct error *err)
{
	struct endpoint *e;

	for (size_t i = 0;; i++) {
		struct error why = { 0 };
		int r;

		e = session_endpoint(op->session, op->name, true, by_digest, i);
		if (!e)
			break;
		r = fn(op, e, data, &why);
		if (r == 0)
			(void)json_object_set_new(op->answer, "place", json_string(e->host));
		if (r >= 0 || r == -EPIPE || r == -ECANCELED || !e->mirror) {
			if (r < 0 && err)
				*err = why;
			return r;
		}
		strv_addf(&op->session->notes, "mirror %s does not help: %s", e->host, why.text);
	}
	return error_set(err, -EINVAL, "'%.200s' was not announced", op->name);
}

int op_expect(const struct endpoint *e, const struct http_response *r, int status, int other,
	      struct error *err)
{
	return r->status == status || r->status == other ? 0 : session_refusal(e, r, err);
}

static int run(struct op *op, struct error *err)
{
	const char *verb = json_need_string(&op->rd, op->request->doc, "op");

	op->name = json_need_string(&op->rd, op->request->doc, "name");
	if (op->rd.r < 0)
		return op->rd.r;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i].name, verb) == 0)
			return ops[i].fn(op, err);
	return error_set(err, -EOPNOTSUPP, "there is no operation '%.40s'", verb);
}

void op_run(struct session *s, const struct wire_message *request, json_t **ret_answer,
	    struct buf *ret_body)
{
	struct error err = { 0 };
	struct op op = { .session = s, .request = request, .answer = json_object() };
	int r;

	buf_init(&op.body, WIRE_BODY_MAX);
	json_reader_init(&op.rd, "request", &err);
	r = run(&op, &err);
	(void)json_object_set_new(op.answer, "r", json_integer(r));
	if (r < 0)
		(void)json_object_set_new(op.answer, "text", json_string(err.text));
	if (r < 0 && !json_object_get(op.answer, "text")) /* not UTF-8 */
		(void)json_object_set_new(op.answer, "text", json_string("failed"));
	if (s->notes.n > 0)
		(void)json_object_set_new(op.answer, "notes", json_from_strv(&s->notes));
	strv_done(&s->notes);
	*ret_answer = op.answer;
	*ret_body = op.body;
}

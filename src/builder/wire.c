/* src/builder/wire.c */
#include "builder/wire.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "builder/build.h"

#define NO_TEXT UINT32_MAX

struct head {
	uint32_t kind, len;
};

void wire_done(struct wire *wire)
{
	buf_done(&wire->bytes);
}

int wire_send(int fd, enum wire_kind kind, const void *bytes, size_t len)
{
	const struct head head = { .kind = kind, .len = (uint32_t)len };
	struct buf all = BUF_INIT(WIRE_MAX + sizeof(head));
	int r;

	buf_add(&all, &head, sizeof(head));
	buf_add(&all, bytes, len);
	r = buf_result(&all);
	if (r == 0)
		r = file_write_all(fd, all.data, all.len);
	buf_done(&all);
	return r;
}

/* 1; 0: it ends here. */
static int read_all(int fd, void *to, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, (char *)to + have, len - have));

		if (n < 0)
			return errno == ECONNRESET ? 0 : -errno;
		if (n == 0)
			return 0;
		have += (size_t)n;
	}
	return 1;
}

int wire_receive(int fd, struct wire *ret)
{
	struct head head;
	char piece[65536];
	int r = read_all(fd, &head, sizeof(head));

	if (r <= 0)
		return r;
	ret->kind = (enum wire_kind)head.kind;
	buf_reset(&ret->bytes);
	while (head.len > 0) {
		size_t n = MIN(head.len, sizeof(piece));

		r = read_all(fd, piece, n);
		if (r <= 0)
			return r;
		buf_add(&ret->bytes, piece, n);
		head.len -= (uint32_t)n;
	}
	r = buf_result(&ret->bytes);
	return r < 0 ? r : 1;
}

/* What is told: numbers, then texts, each behind its length. */

struct told_head {
	int32_t event;
	uint32_t id, number, total;
	int64_t size;
	uint32_t len[4]; /* NO_TEXT: NULL */
	uint8_t is_error;
};

static void measure(const char *text, size_t len, uint32_t *ret)
{
	*ret = text ? (uint32_t)len : NO_TEXT;
}

int wire_send_told(int fd, const struct build_told *told)
{
	const char *texts[4] = { told->stage, told->platform, told->chain, told->text };
	struct told_head head = { .event = (int32_t)told->event,
				  .id = told->id,
				  .number = told->number,
				  .total = told->total,
				  .size = told->size,
				  .is_error = told->is_error };
	struct buf all = BUF_INIT(WIRE_MAX);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		measure(texts[i], texts[i] ? strlen(texts[i]) : 0, &head.len[i]);
	if (told->event == BUILD_OUTPUT)
		head.len[3] = (uint32_t)told->len;
	buf_add(&all, &head, sizeof(head));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (head.len[i] == NO_TEXT)
			continue;
		buf_add(&all, texts[i], head.len[i]);
		buf_add_char(&all, '\0');
	}
	r = buf_result(&all);
	if (r == 0)
		r = wire_send(fd, WIRE_TOLD, all.data, all.len);
	buf_done(&all);
	return r;
}

int wire_told(const struct wire *wire, struct build_told *ret)
{
	const char *texts[4] = { NULL, NULL, NULL, NULL };
	struct told_head head;
	size_t at = sizeof(head);

	if (wire->bytes.len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, wire->bytes.data, sizeof(head));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (head.len[i] == NO_TEXT)
			continue;
		if (head.len[i] >= wire->bytes.len - at)
			return -EBADMSG;
		texts[i] = wire->bytes.data + at;
		at += head.len[i] + 1;
	}
	*ret = (struct build_told) { .event = (enum build_event)head.event,
				     .id = head.id,
				     .number = head.number,
				     .total = head.total,
				     .size = head.size,
				     .stage = texts[0],
				     .platform = texts[1],
				     .chain = texts[2],
				     .text = texts[3],
				     .len = head.len[3] == NO_TEXT ? 0 : head.len[3],
				     .is_error = head.is_error != 0 };
	return 0;
}

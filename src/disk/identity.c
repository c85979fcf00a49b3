/* src/disk/identity.c */
#include "disk/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "disk/filetree.h"
#include "image/digest.h"

static void add_file(struct digest *d, const struct file *f)
{
	const int64_t numbers[] = { f->mode,           f->uid,          f->gid,
				    f->content.size,   f->mtime.tv_sec, f->mtime.tv_nsec,
				    (int64_t)f->nnames };

	digest_update(d, numbers, sizeof(numbers));
	for (size_t i = 0; i < f->nnames; i++)
		digest_update(d, f->names[i].text, strlen(f->names[i].text) + 1);
}

int identity_choose(const struct filetree *t, bool fixed, int64_t now_s, struct identity *ret,
		    struct error *err)
{
	uint8_t chance[32] = { 0 };
	struct digest d;

	if (!fixed && getrandom(chance, sizeof(chance), 0) != sizeof(chance))
		return error_sys(err, -errno, "get random bytes");
	digest_init(&d);
	digest_update(&d, chance, sizeof(chance));
	digest_update(&d, &now_s, sizeof(now_s));
	for (size_t i = 0; i < t->norder; i++)
		add_file(&d, t->order[i]);
	digest_final(&d, ret->seed);
	return 0;
}

void identity_of_bytes(const void *bytes, size_t len, struct identity *ret)
{
	digest_bytes(bytes, len, ret->seed);
}

static uint8_t hex(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void identity_uuid(const struct identity *id, const char *purpose, uint8_t ret[16])
{
	char text[DIGEST_HEX_LEN + 1];
	struct digest d;

	digest_init(&d);
	digest_update(&d, id->seed, sizeof(id->seed));
	digest_update(&d, purpose, strlen(purpose));
	digest_final(&d, text);
	for (size_t i = 0; i < 16; i++)
		ret[i] = (uint8_t)(hex(text[2 * i]) << 4 | hex(text[2 * i + 1]));
	/* RFC 9562: version 4, variant 10. */
	ret[6] = (ret[6] & 0x0f) | 0x40;
	ret[8] = (ret[8] & 0x3f) | 0x80;
}

void uuid_text(const uint8_t u[16], char ret[UUID_TEXT_LEN + 1])
{
	(void)snprintf(ret, UUID_TEXT_LEN + 1,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
		       u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		       u[13], u[14], u[15]);
}

void identity_text(const struct identity *id, const char *purpose, char ret[UUID_TEXT_LEN + 1])
{
	uint8_t u[16];

	identity_uuid(id, purpose, u);
	uuid_text(u, ret);
}

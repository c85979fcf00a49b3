/* src/disk/luks.c */
#include "disk/luks.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "disk/output.h"
#include "disk/tool.h"

#define SECTOR_LEN 512
#define CHUNK      (1 << 20)
#define KEY_LEN    64 /* of aes-xts with two keys of 256 bits */
/* 256 MiB for a guess: what a small machine has. */
#define MEMORY_KIB "262144"

DEFINE_CLEANUP(EVP_CIPHER_CTX *, cipher, EVP_CIPHER_CTX_free);

/* In memory, for a program that reads it by name. */
static int hide(const void *bytes, size_t len, struct error *err)
{
	int fd = memfd_create("key", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : file_write_all(fd, bytes, len);

	if (r < 0 && fd >= 0)
		(void)close(fd);
	return r < 0 ? error_sys(err, r, "keep a key in memory") : fd;
}

static int make_header(int key_fd, int volume_fd, const char *uuid, int fd, struct error *err)
{
	struct strv argv = { 0 };
	int r;

	strv_add(&argv, "cryptsetup");
	strv_add(&argv, "luksFormat");
	strv_add(&argv, "--type=luks2");
	strv_add(&argv, "--batch-mode");
	strv_add(&argv, "--disable-locks");
	strv_add(&argv, "--cipher=aes-xts-plain64");
	strv_add(&argv, "--key-size=512");
	strv_add(&argv, "--sector-size=512");
	strv_add(&argv, "--pbkdf-memory=" MEMORY_KIB);
	strv_add(&argv, "--iter-time=1000");
	strv_addf(&argv, "--offset=%lld", LUKS_HEAD / SECTOR_LEN);
	strv_addf(&argv, "--uuid=%s", uuid);
	strv_addf(&argv, "--volume-key-file=/proc/self/fd/%d", volume_fd);
	strv_addf(&argv, "--key-file=/proc/self/fd/%d", key_fd);
	strv_addf(&argv, "/proc/self/fd/%d", fd);
	r = tool_run(&argv, (const int[]) { key_fd, volume_fd, fd }, 3, 0, "cryptsetup-bin", err);
	strv_done(&argv);
	return r;
}

/* plain64: a sector's number, little-endian, is what it is tweaked with. */
static bool encrypt_chunk(EVP_CIPHER_CTX *ctx, const unsigned char *key, unsigned char *bytes,
			  size_t len, uint64_t sector)
{
	for (size_t at = 0; at < len; at += SECTOR_LEN, sector++) {
		unsigned char tweak[16] = { 0 };
		int n;

		for (size_t i = 0; i < 8; i++)
			tweak[i] = (unsigned char)(sector >> (8 * i));
		if (EVP_EncryptInit_ex(ctx, NULL, NULL, key, tweak) != 1 ||
		    EVP_EncryptUpdate(ctx, bytes + at, &n, bytes + at, SECTOR_LEN) != 1)
			return false;
		key = NULL; /* set once */
	}
	return true;
}

/* All of it: a hole would tell where nothing is, and read as noise. */
static int encrypt(int from, int to, int64_t size, const unsigned char *key, struct error *err)
{
	cleanup(cipher_cleanup) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	autofree unsigned char *bytes = xmalloc(CHUNK);

	if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_xts(), NULL, NULL, NULL) != 1)
		return error_set(err, -EIO, "libcrypto has no aes-256-xts");
	for (int64_t at = 0; at < size; at += CHUNK) {
		ssize_t n = pread(from, bytes, CHUNK, at);

		if (n != CHUNK)
			return error_sys(err, n < 0 ? -errno : -EIO, "read the root");
		if (!encrypt_chunk(ctx, at ? NULL : key, bytes, CHUNK, (uint64_t)at / SECTOR_LEN))
			return error_set(err, -EIO, "libcrypto does not encrypt");
		n = pwrite(to, bytes, CHUNK, LUKS_HEAD + at);
		if (n != CHUNK)
			return error_sys(err, n < 0 ? -errno : -EIO, "write the encrypted root");
	}
	return 0;
}

/* The header that moves the data makes room for itself twice, and has a copy in the directory that
 * it is made in.
 */
static bool explain_seal(const struct luks_key *key, const char *uuid, int64_t size)
{
	autofree char *from =
		key->file ? xasprintf("printf %%s \"$(cat %s)\" | ", sq(key->file)) : xstrdup("");

	(void)explain(
		"room for a header",
		"truncate -s %lld \"$work/sealed\"; "
		"dd if=\"$work/root\" of=\"$work/sealed\" bs=1M conv=notrunc,sparse status=none",
		(long long)size + 2 * LUKS_HEAD);
	(void)explain(
		key->file ? "encrypted" : "encrypted; here the passphrase is asked for",
		"%s(cd \"$work\"; cryptsetup reencrypt --encrypt --type luks2 --batch-mode %s "
		"--disable-locks --cipher aes-xts-plain64 --key-size 512 --pbkdf-memory " MEMORY_KIB
		" --iter-time 1000 --uuid %s --reduce-device-size %lldk \"$work/sealed\")",
		from, key->file ? "--key-file=-" : "--verify-passphrase", uuid,
		2 * LUKS_HEAD / 1024);
	return explain("which takes the place of the root",
		       "truncate -s %lld \"$work/sealed\"; mv \"$work/sealed\" \"$work/root\"",
		       (long long)size + LUKS_HEAD);
}

int luks_seal(const struct output *out, const struct luks_key *key, const char *uuid, int *fd,
	      int64_t *size, struct error *err)
{
	unsigned char volume_key[KEY_LEN];
	autoclose int to = -1, key_fd = -1, volume_fd = -1;
	int r;

	if (explain_seal(key, uuid, *size)) {
		*size += LUKS_HEAD;
		return 0;
	}
	if (getrandom(volume_key, sizeof(volume_key), 0) != sizeof(volume_key))
		return error_sys(err, -errno, "get random bytes");
	r = output_spool(out, &to, err);
	if (r == 0 && ftruncate(to, *size + LUKS_HEAD) < 0)
		r = error_sys(err, -errno, "make the encrypted root");
	if (r == 0)
		r = key_fd = hide(key->bytes, key->len, err);
	if (r >= 0)
		r = volume_fd = hide(volume_key, sizeof(volume_key), err);
	if (r >= 0)
		r = make_header(key_fd, volume_fd, uuid, to, err);
	if (r == 0)
		r = encrypt(*fd, to, *size, volume_key, err);
	explicit_bzero(volume_key, sizeof(volume_key));
	if (r < 0)
		return error_wrap(err, r, "encrypt the root");
	(void)close(*fd);
	*fd = steal_fd(&to);
	*size += LUKS_HEAD;
	return 0;
}

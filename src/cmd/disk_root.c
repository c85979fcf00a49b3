/* src/cmd/disk_root.c */
#include "cmd/disk_root.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "cmd/disk_options.h"
#include "disk/osroot.h"

#define KEY_MAX  512 /* what cryptsetup reads of what is typed */
#define SWAP_MIN (1ULL << 20)
#define SWAP_MAX (1ULL << 40)

/* What would end us waits until the terminal is as it was. */
static int ask(const char *prompt, char line[KEY_MAX + 2], struct error *err)
{
	struct termios before, quiet;
	sigset_t all, mask;
	ssize_t n;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
		return error_set(err, -EINVAL,
				 "no terminal to ask for the passphrase on: give --key-file");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &mask);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	(void)fprintf(stderr, "%s: ", prompt);
	n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, line, KEY_MAX + 1));
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	(void)fputc('\n', stderr);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	if (n <= 0)
		return error_set(err, -ECANCELED, "no passphrase was typed");
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

static int ask_twice(char **ret, struct error *err)
{
	char first[KEY_MAX + 2], second[KEY_MAX + 2];
	int r = ask("Passphrase for the root", first, err);

	if (r == 0)
		r = ask("Once more", second, err);
	if (r == 0 && strcmp(first, second) != 0)
		r = error_set(err, -EINVAL, "the two are not the same");
	if (r == 0)
		*ret = xstrdup(first);
	explicit_bzero(first, sizeof(first));
	explicit_bzero(second, sizeof(second));
	return r;
}

/* The end of the line is not part of what is typed when the machine starts. */
static int choose_key(const char *file, struct osroot_options *ret, struct error *err)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	ret->key.file = file;
	if (explain_dry() && !file)
		return 0; /* the script asks */
	r = file ? file_read_at(AT_FDCWD, file, KEY_MAX + 1, &text, &len, err)
		 : ask_twice(&text, err);
	if (r < 0)
		return r;
	if (!file)
		len = text ? strlen(text) : 0;
	if (len && text[len - 1] == '\n')
		len--;
	ret->key.bytes = text;
	ret->key.len = len;
	return len ? 0 : error_set(err, -EINVAL, "the passphrase is empty");
}

int disk_root_choose(const struct disk_build_args *args, struct osroot_options *ret,
		     struct error *err)
{
	int r = rootfs_choose(args->fs, &ret->fs, err);

	if (r < 0)
		return r;
	if (args->swap && (args->swap < SWAP_MIN || args->swap > SWAP_MAX))
		return error_set(err, -EINVAL, "--swap wants 1m to 1t");
	if (args->key_file && !args->encrypt)
		return error_set(err, -EINVAL, "--key-file has a meaning with --encrypt alone");
	ret->read_only = args->read_only_root;
	ret->verity = args->verity;
	ret->encrypt = args->encrypt;
	ret->swap = (int64_t)((args->swap + SWAP_MIN - 1) / SWAP_MIN * SWAP_MIN);
	return ret->encrypt ? choose_key(args->key_file, ret, err) : 0;
}

void disk_root_done(struct osroot_options *o)
{
	if (o->key.bytes)
		explicit_bzero((char *)o->key.bytes, o->key.len);
	free((char *)o->key.bytes);
	o->key.bytes = NULL;
}

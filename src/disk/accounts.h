/* src/disk/accounts.h - who may log in to a machine: lines of passwd, group and shadow, and keys.
 */
#ifndef DISK_ACCOUNTS_H
#define DISK_ACCOUNTS_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct placing;

#define ACCOUNT_NAME_MAX 32

/* "ann", "ann:1005", "ann::sudo,adm", "ann:1005:sudo". */
struct account {
	char name[ACCOUNT_NAME_MAX + 1];
	uint32_t uid; /* 0: the next free one from 1000 on */
	struct strv groups;
};
int account_parse(const char *text, struct account *ret, struct error *err) must_check;
void account_done(struct account *a);

/* An account without a password, its group, and a home made of /etc/skel. One that is there stays,
 * and gets the groups.  -ENOENT: a group is not there.
 */
int account_put(struct placing *p, const struct account *a, struct error *err) must_check;
/* hash: as crypt(5); how: the shell's words that print one, for a script, which never has ours. */
int account_set_hash(struct placing *p, const char *name, const char *hash, const char *how,
		     struct error *err) must_check;
/* Lines of authorized_keys, behind those that are there. */
int account_add_keys(struct placing *p, const char *name, const char *keys,
		     struct error *err) must_check;

#endif

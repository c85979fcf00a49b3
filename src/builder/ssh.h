/* src/builder/ssh.h - keys for a step that speaks ssh, without the keys: an agent's socket.
 *
 * "--ssh ID" is the caller's agent, "--ssh ID=SOCKET" another, "--ssh ID=FILE[,FILE...]" keys that
 * an agent of ours holds as long as the step goes on.  A step gets a socket of its own, through
 * which it may ask which keys there are and have something signed, and nothing else.
 */
#ifndef BUILDER_SSH_H
#define BUILDER_SSH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

struct ssh {
	char *socket; /* of the agent */
	int dir;      /* in which its name is; -1: it is a whole path */
	pid_t agent, relay;
};
#define SSH_INIT ((struct ssh) { .dir = -1, .agent = -1, .relay = -1 })

/* "ID", "ID=PATH[,PATH...]"; paths may be NULL. */
int ssh_spec_parse(const char *text, char **ret_id, struct strv *ret_paths,
		   struct error *err) must_check;

/* The agent that given has for id.  dir: for an agent of ours, a directory of the caller's.
 * 1: none was given.
 */
int ssh_open(const struct strv *given, const char *id, int dir, struct ssh *ret,
	     struct error *err) must_check;
/* A socket in dir through which somebody else may use it. */
int ssh_relay(struct ssh *ssh, int dir, const char *name, uid_t uid, gid_t gid, mode_t mode,
	      struct error *err) must_check;
void ssh_done(struct ssh *ssh);

/* What a step may ask an agent for, by the first byte of a message. */
bool ssh_may_ask(unsigned char type);

#endif

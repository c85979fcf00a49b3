/* src/base/explain.h - every step that the kernel sees, told as a command that a person could type.
 *
 * A function that changes the kernel's state, or the disk on behalf of a container, opens with
 *
 *	if (explain("a cable: one end here, one in the container",
 *		    "ip link add %s type veth peer name %s", sq(name), sq(peer)))
 *		return 0;
 *
 * EXPLAIN_OFF	    returns false at once, nothing is formatted.
 * EXPLAIN_NARRATE  prints "# why" and "+ command" on the narration descriptor and returns false,
 *		    so that it is done.
 * EXPLAIN_DRY	    prints both as lines of a POSIX shell script on the same descriptor and returns
 *		    true, so that it is not.
 *
 * In a dry run nothing is made, so descriptors that would come out of a skipped act are -1, and
 * only functions that themselves explain may be handed one.  The script runs under "set -eu", as
 * root, with stock tools (iproute2, nftables, util-linux, coreutils, libcap2-bin).
 *
 * The mode is the one mutable global: main() sets it once (rule 5 of the house style).
 */
#ifndef BASE_EXPLAIN_H
#define BASE_EXPLAIN_H

#include <stdbool.h>

#include "base/macros.h"

enum explain_mode { EXPLAIN_OFF, EXPLAIN_NARRATE, EXPLAIN_DRY };

/* A script is held back until it is known to be whole: half a script would be run as one. */
void explain_init(enum explain_mode mode, int fd);
void explain_release(void);
/* In a dry run the script is standard output: from here on what is printed to stdout becomes
 * comments of it.  One rule for all commands: whatever strake --dry-run prints can be run.
 */
void explain_own_stdout(void);
enum explain_mode explain_mode(void);
int explain_fd(void); /* to hand on to a child process; -1 while off */
static inline bool explain_dry(void)
{
	return explain_mode() == EXPLAIN_DRY;
}

bool explain(const char *why, const char *fmt, ...) printf_like(2, 3);
/* Something that no stock tool can do, said as a comment only.  Returns as explain(). */
bool explain_note(const char *fmt, ...) printf_like(1, 2);

/* From here on commands say "$name" where they would say value: a container's long ID, its root.
 * The name stays good in here-documents.  Of a value that needs quotes or has less than 8
 * characters nothing is said.  At most 4, a part before the whole.  The second is for a process
 * that goes on with another's narration, where the name has been told.
 */
void explain_name(const char *name, const char *value);
void explain_name_known(const char *name, const char *value);

/* In a script, the commands up to explain_end() are the here-document of this one, which reads them
 * from its descriptor 3: `unshare ... sh -eu /dev/fd/3 3<<'WORD'`.  fmt is the command without the
 * redirection; word must be unique among the open ones.  While narrating, the inner steps are only
 * indented.
 */
bool explain_begin(const char *word, const char *why, const char *fmt, ...) printf_like(3, 4);
void explain_end(const char *word);

/* In a script: what is said between the two is not printed but returned (the caller frees), and may
 * be put where the last mark is, as far as the script is held back until there.
 */
void explain_mark(void);
void explain_capture(void);
char *explain_captured(void);
void explain_insert(const char *text);

/* A script's steps up to explain_apart(false) are not for now: each line stands behind
 * EXPLAIN_APART, a comment, and says values in place of names.
 */
#define EXPLAIN_APART "#: "
void explain_apart(bool apart);

/* A script's last line: it ends as the container did. */
void explain_exit(void);

/* A shell word, quoted if it needs it.  While explain is off it is the text itself.  The result is
 * good until 16 more calls.
 */
const char *sq(const char *word);

#endif

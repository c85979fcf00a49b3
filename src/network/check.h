/* src/network/check.h - whether the kernel has what the database says, and the other way round. */
#ifndef NETWORK_CHECK_H
#define NETWORK_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct db;
struct network_lease;
struct network_site;

typedef void (*network_report_fn)(void *data, const char *text);

/* Links and elements that belong to no container, and what should be there and is not: somebody
 * flushed the rules, or deleted a bridge.  report is called for each; with repair the kernel then
 * has what the database says.  Returns the number of findings; *ret_left of them nothing of ours
 * puts right, and their texts say what does.
 */
int network_check(const struct network_site *site, bool repair, network_report_fn report,
		  void *data, int *ret_left, struct error *err) must_check;

/* Everything that containers need, made again; connections live on. */
int network_reload(const struct network_site *site, struct error *err) must_check;

/* A network as its file has it, and its row made again of that, if it is not there. */
struct network;
json_t *network_note_one(const struct network *network);
int network_restore_one(const struct network_site *site, const json_t *note, const char *what,
			struct error *err) must_check;
/* A container's places as its definition notes them, and the rows made of them again when the
 * database was lost: of a container that runs, inside a transaction.
 */
json_t *network_note(const struct network_lease *lease);
int network_restore(const struct network_site *site, const char *id, const json_t *note,
		    const struct strv *ports, struct error *err) must_check;

#endif

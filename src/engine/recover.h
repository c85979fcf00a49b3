/* src/engine/recover.h - what a crash, a kill or a reboot left, found and put right.
 *
 * recover_dead() is what every command does on opening the state: it looks at the active containers
 * only, so an idle system pays one query.  check_all() is 'strake system check': it compares
 * database, files, namespaces, links and nft elements with each other.
 */
#ifndef ENGINE_RECOVER_H
#define ENGINE_RECOVER_H

#include <stdbool.h>

#include "base/error.h"

struct engine;

/* Finishes the clean-up of containers that nobody looks after any more: one that never started is
 * removed, one that ran is marked as exited.  A network's resolver that died is started again.
 * Failures are left for the next time.
 */
void recover_dead(struct engine *engine);

typedef void (*check_report_fn)(void *data, const char *text);

/* Calls report once a finding; with repair puts it right.  Returns the number of findings;
 * *ret_left of them are not for a repair, and their texts say what to do.
 */
int check_all(struct engine *engine, bool repair, check_report_fn report, void *data, int *ret_left,
	      struct error *err) must_check;

/* The same for networks alone. */
int check_networks(struct engine *engine, bool repair, check_report_fn report, void *data,
		   int *ret_left, struct error *err) must_check;

/* Fills a database that is new with what the files of this root say; nothing is removed. */
int recover_lost(struct engine *engine, struct error *err) must_check;

#endif

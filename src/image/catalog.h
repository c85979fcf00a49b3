/* src/image/catalog.h - images/ID.json: what the database knows of an image, so that a lost one is
 * made again from files.
 *
 * Written inside the transaction that changes the rows: a kill in between leaves a file of a future
 * that did not come, whose image has its layers or is dropped by image_check().
 */
#ifndef IMAGE_CATALOG_H
#define IMAGE_CATALOG_H

#include <stdbool.h>

#include "base/error.h"

struct db;

int catalog_save(struct db *db, int root_fd, const char *id, struct error *err) must_check;
int catalog_remove(int root_fd, const char *id, struct error *err) must_check;

/* Inserts the images that have files and no rows, the oldest load first, so that a name ends at the
 * image that had it last.  report is called with the ID of each that is inserted, and of each whose
 * layers are gone (whole is false).  Inside a transaction.
 */
int catalog_restore(struct db *db, int root_fd,
		    void (*report)(void *data, const char *id, bool whole), void *data,
		    struct error *err) must_check;

#endif

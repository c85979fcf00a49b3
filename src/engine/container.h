/* src/engine/container.h - a container's definition: what it is, apart from whether it runs.
 *
 * The definition is containers/ID/container.json, written once, whole, when the container is made;
 * the database only arbitrates names and finds containers.  Whether it runs is derived, see
 * status.h.
 */
#ifndef ENGINE_CONTAINER_H
#define ENGINE_CONTAINER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"

struct engine;

struct container {
	char id[ID_LEN + 1];
	char *name;
	char *source;   /* what the user named: image, directory or file */
	char *image_id; /* NULL unless an image */
	int64_t created_ns;
	struct strv command; /* what runs, entrypoint included */
	char *network;       /* the first: "bridge", "none", "host", ... */
	json_t *places;      /* in networks, as network_note() writes them; NULL: none */
	struct strv ports;   /* "0.0.0.0:8080->80/tcp" */
	char *address;       /* its IPv4 address while it has one; NULL without a network */
	struct strv labels;
	char *user;        /* as asked for; NULL: the image's, or root */
	char *stop_signal; /* NULL: TERM */
	int stop_timeout;  /* seconds */
	bool tty, open_stdin, auto_remove;
	bool is_damaged; /* only what its row in the database knows: see container_load_row() */
};

void container_free(struct container *c);
DEFINE_CLEANUP(struct container *, container, container_free);

int container_save(const struct engine *engine, const struct container *c,
		   struct error *err) must_check;
int container_load(const struct engine *engine, const char *id, struct container **ret,
		   struct error *err) must_check;

/* By name, whole ID or the unambiguous start of one. */
int container_find(struct engine *engine, const char *what, struct container **ret,
		   struct error *err) must_check;

/* The same for those who end, remove or list it: one whose definition cannot be read is what its
 * row says, with the usual signal and time.  *ret_why is then why it cannot, code 0 otherwise.
 */
int container_load_row(struct engine *engine, const char *id, struct container **ret,
		       struct error *ret_why, struct error *err) must_check;
int container_find_row(struct engine *engine, const char *what, struct container **ret,
		       struct error *err) must_check;
/* It has a live record, or one of its end. */
bool container_was_started(const struct engine *engine, const char *id);
/* The command that makes it, while its files need not be there yet; 0: it was started. */
pid_t container_maker(const struct engine *engine, const char *id);

/* IDs of all containers, newest first; one that is being made has no definition yet (-ENOENT). */
int container_ids(struct engine *engine, struct strv *ret, struct error *err) must_check;

/* Directories, heap texts that the caller frees. */
char *container_dir(const struct engine *engine, const char *id);
char *container_run_dir(const struct engine *engine, const char *id);
char *container_netns(const struct engine *engine, const char *id);
char *container_log(const struct engine *engine, const char *id);

#endif

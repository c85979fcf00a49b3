/* src/base/json.h - JSON from outside, read with the place of each mistake.
 *
 * json_load_bytes() bounds size and depth and refuses duplicate keys.  A reader then remembers its
 * first failure the way a stream does: getters keep returning harmless values, and the caller looks
 * at rd->r once, at the end.  A failure names the place: "process.args[2]: expected a string".
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/* The largest document accepted; manifests cap at 4 MiB anyway. */
#define JSON_SIZE_MAX (16U << 20)

DEFINE_CLEANUP(json_t *, json, json_decref); /* cleanup(json_cleanup) json_t *doc = NULL; */

/* what names the document in errors.  The caller owns *ret. */
int json_load_bytes(const char *bytes, size_t len, const char *what, json_t **ret,
		    struct error *err) must_check;
int json_load_at(int dirfd, const char *path, json_t **ret, struct error *err) must_check;
/* What a user names: it may come through a pipe. */
int json_load_given(const char *path, json_t **ret, struct error *err) must_check;
/* Compact for programs, indented for people; FILE_SYNC as in file.h when sync. */
int json_save_at(int dirfd, const char *path, const json_t *doc, bool sync,
		 struct error *err) must_check;

struct json_reader {
	struct error *err;
	int r; /* first failure, 0 so far */
	size_t len;
	char path[256]; /* where in the document, "process.user" */
};

void json_reader_init(struct json_reader *rd, const char *what, struct error *err);
/* Records a failure of the caller's own at KEY (NULL: the current place); the first one wins. */
void json_fail(struct json_reader *rd, const char *key, const char *fmt, ...) printf_like(3, 4);

/* Between enter and leave the place is longer by key or index. */
struct json_place {
	size_t len;
};
struct json_place json_enter(struct json_reader *rd, const char *key);
struct json_place json_enter_index(struct json_reader *rd, size_t index);
void json_leave(struct json_reader *rd, struct json_place place);

/* Members.  obj may be NULL (an absent parent): every member is then absent.  A wrong type is a
 * failure; an absent member gives the fallback, or NULL.  Results are borrowed from the document.
 */
const char *json_read_string(struct json_reader *rd, const json_t *obj, const char *key,
			     const char *fallback);
const char *json_need_string(struct json_reader *rd, const json_t *obj, const char *key);
bool json_read_bool(struct json_reader *rd, const json_t *obj, const char *key, bool fallback);
int64_t json_read_int(struct json_reader *rd, const json_t *obj, const char *key, int64_t min,
		      int64_t max, int64_t fallback);
json_t *json_read_object(struct json_reader *rd, const json_t *obj, const char *key);
json_t *json_read_array(struct json_reader *rd, const json_t *obj, const char *key);
/* Appends copies of all strings of the array. */
void json_read_strings(struct json_reader *rd, const json_t *obj, const char *key,
		       struct strv *ret);

json_t *json_from_strv(const struct strv *v); /* an array; the caller owns it */

#endif

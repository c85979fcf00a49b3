/* src/engine/stage.h - what an image is packed from: one executable, a directory or a bundle. */
#ifndef ENGINE_STAGE_H
#define ENGINE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

struct stage_request {
	const char *path;
	bool with_libs;          /* of an executable */
	const struct strv *with; /* lists of what else comes in, see supply.h */
	int tmp;                 /* an empty directory of ours */
	const char *tmp_path;
};

struct stage {
	int dir;                  /* the root: in tmp, or the user's own, which is only read */
	struct strv instructions; /* what the image says about running it, see config_change.h */
	bool is_ours;             /* dir was made here, its directories just now */
	int64_t newest_s;         /* the time of the file, or of the directory */
};
#define STAGE_INIT ((struct stage) { .dir = -1 })

int stage_make(const struct stage_request *req, struct stage *ret, struct error *err) must_check;
void stage_done(struct stage *s);
/* All that the config of an image says, added to the instructions. */
int stage_say_config(struct stage *s, const json_t *config, struct error *err) must_check;

#endif

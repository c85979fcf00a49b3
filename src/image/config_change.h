/* src/image/config_change.h - an image's config, changed by instructions: "CMD [\"sh\"]", "ENV
 * A=b".
 *
 * CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR, as a
 * Containerfile has them, one in a text.
 */
#ifndef IMAGE_CONFIG_CHANGE_H
#define IMAGE_CONFIG_CHANGE_H

#include <jansson.h>

#include "base/error.h"

/* config is the document's member "config". */
int config_change(json_t *config, const char *instruction, struct error *err) must_check;

#endif

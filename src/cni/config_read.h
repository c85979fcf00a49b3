/* src/cni/config_read.h - for the config*.c: one reader, which remembers its first failure. */
#ifndef CNI_CONFIG_READ_H
#define CNI_CONFIG_READ_H

#include "base/json.h"
#include "cni/config.h"

struct config_reading {
	struct json_reader rd;
	struct cni_failure *f;
	struct cni_config *c;
};

/* The key is known and not done with this value: CNI_UNSUPPORTED. */
void config_refuse(struct config_reading *g, const json_t *obj, const char *key);
/* An address with or without /N; family 0 if the key is not there. */
struct ip config_ip(struct config_reading *g, const json_t *obj, const char *key);

void config_read_ipam(struct config_reading *g, const json_t *doc);
void config_read_runtime(struct config_reading *g, const json_t *doc);

#endif

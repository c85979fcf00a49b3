/* src/runtime/spec_read.h - what the files that read config.json share; for spec*.c only. */
#ifndef RUNTIME_SPEC_READ_H
#define RUNTIME_SPEC_READ_H

#include <jansson.h>

struct cgroup_limits;
struct json_reader;
struct spec_process;

/* Failures are in rd; the result is to be freed in any case. */
struct spec_process *spec_read_process(struct json_reader *rd, const json_t *obj);
void spec_read_limits(struct json_reader *rd, const json_t *obj, struct cgroup_limits *ret);

#endif

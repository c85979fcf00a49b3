/* src/runtime/state_text.c */
#include "runtime/state_text.h"

#include <jansson.h>

#include "base/alloc.h"
#include "runtime/spec.h"

char *state_text(const struct spec *spec, const char *id, const char *bundle, const char *status,
		 pid_t pid)
{
	json_t *doc = json_object();
	char *text;

	(void)json_object_set_new(doc, "ociVersion", json_string("1.1.0"));
	(void)json_object_set_new(doc, "id", json_string(id));
	(void)json_object_set_new(doc, "status", json_string(status));
	if (pid > 0)
		(void)json_object_set_new(doc, "pid", json_integer(pid));
	(void)json_object_set_new(doc, "bundle", json_string(bundle));
	(void)json_object_set_new(doc, "annotations",
				  spec && spec->annotations ? json_incref(spec->annotations)
							    : json_object());
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text ? text : xstrdup("{}");
}

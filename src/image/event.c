/* src/image/event.c */
#include "image/event.h"

#include "base/alloc.h"
#include "base/event.h"
#include "base/strv.h"
#include "image/reference.h"

void image_event(int root_fd, const char *action, const char *id, const struct strv *names)
{
	autofree char *digest = xasprintf("sha256:%s", id);
	const char *list[] = { "name", digest, NULL };
	char familiar[REFERENCE_MAX];

	if (names && names->n) {
		reference_familiar(names->items[0], familiar);
		list[1] = familiar;
	}
	event_tell(root_fd, "image", action, digest, list);
}

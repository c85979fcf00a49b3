/* src/engine/surface.h - what of a container or an image could be attacked: what is inside, what
 * listens, what it may do.
 */
#ifndef ENGINE_SURFACE_H
#define ENGINE_SURFACE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/survey.h"

struct engine;
struct container;
struct image;

struct surface {
	struct survey survey;
	struct strv listening; /* "tcp 0.0.0.0:80"; of a running container */
	struct strv capabilities;
	char *user; /* "0:0" */
	bool running;
	bool no_new_privileges, filtered, read_only;
};

void surface_done(struct surface *s);
int surface_of_container(struct engine *engine, const struct container *c, struct surface *ret,
			 struct error *err) must_check;
/* What a plain "run" of it would have. */
int surface_of_image(struct engine *engine, const struct image *image, struct surface *ret,
		     struct error *err) must_check;

/* The lines of /proc/PID/net/tcp, tcp6, udp or udp6 that wait for somebody; protocol is the file's
 * name.
 */
void sockets_parse(const char *text, const char *protocol, struct strv *ret);

#endif

/* src/engine/event.h - base/event.h about a container. */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

struct container;
struct engine;

/* With its name, image and labels; name and value: one thing more, or NULL. */
void container_event(const struct engine *engine, const struct container *c, const char *action,
		     const char *name, const char *value);
/* That its run has ended, if it was started. */
void container_event_end(const struct engine *engine, const char *id);

/* Of a network, and the container that joins or leaves it; and of all networks that it is in. */
void network_event(const struct engine *engine, const char *network, const char *action,
		   const char *id);
void network_events(const struct engine *engine, const char *action, const char *id);

#endif

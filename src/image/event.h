/* src/image/event.h - base/event.h about an image. */
#ifndef IMAGE_EVENT_H
#define IMAGE_EVENT_H

struct strv;

/* With its first name, or without one its digest; names may be NULL. */
void image_event(int root_fd, const char *action, const char *id, const struct strv *names);

#endif

/* src/why/place.h - a network namespace that a packet may come through: its links, routes and
 * rules, read when they are asked for.
 */
#ifndef WHY_PLACE_H
#define WHY_PLACE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/ip.h"
#include "kernel/stack.h"
#include "why/ruleset.h"

struct tracer;

struct place {
	int fd;
	ino_t ino;
	char *name; /* "this host", "container web", "netns blue" */
	char *path; /* to enter it by; NULL: this host */
	struct stack stack;
	struct ruleset rules;
	bool has_asked, has_rules; /* the kernel of that namespace for them; it has answered */
	struct tracer *tracer;
};

struct places {
	struct place *items;
	size_t n, room;
	bool is_cut; /* there are more */
};

/* This host first, then every namespace that can be named, as far as we may look. */
#define PLACES_MAX 1024
int places_read(struct places *ret, struct error *err) must_check;
void places_done(struct places *p);
/* The one of a namespace, which is added if it is not there; the name is for people. */
int places_find(struct places *p, int netns_fd, const char *path, const char *name, size_t *ret,
		struct error *err) must_check;
/* That has the address as its own; -ENOENT. */
int places_with(const struct places *p, const struct ip *ip) must_check;

/* NULL: they cannot be read. */
const struct ruleset *place_rules(struct place *p);
const char *place_link(const struct place *p, int index); /* "?" */
/* A sysctl below /proc/sys/net of that namespace; -1: there is none. */
int place_sysctl(const struct place *p, const char *path);

/* Where the kernel there would send a packet to. */
struct place_route {
	int error; /* ENETUNREACH and its like, or 0 */
	int type;  /* RTN_LOCAL, RTN_UNICAST, ... */
	int index; /* of the link */
	struct ip via;
};
struct place_route place_route(const struct place *p, const struct ip *to);

#endif

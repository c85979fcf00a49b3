/* src/why/narrate.h - the way of a packet through the rules, told to people and to programs. */
#ifndef WHY_NARRATE_H
#define WHY_NARRATE_H

#include <jansson.h>
#include <stdio.h>

struct check;
struct packet;

#define NARRATE_SCHEMA 1 /* as SHOW_SCHEMA */

void narrate_text(const struct check *check, const struct packet *packet, FILE *to);
/* The caller owns it. */
json_t *narrate_json(const struct check *check, const struct packet *packet);
/* 0: it passes; 3: dropped; 4: refused; 5: nobody can say, or a program decides. */
int narrate_status(const struct check *check);

#endif

/* src/why/tell.h - a probe's way and what became of it, told to people and to programs. */
#ifndef WHY_TELL_H
#define WHY_TELL_H

#include <jansson.h>
#include <stdio.h>

struct journey;
struct judgement;

#define TELL_SCHEMA 1 /* as SHOW_SCHEMA */

void tell_text(struct journey *j, const struct judgement *judgement, FILE *to);
/* The caller owns it. */
json_t *tell_json(struct journey *j, const struct judgement *judgement);

#endif

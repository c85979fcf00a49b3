/* src/network/stack_text.h - a namespace's stack in lines for people. */
#ifndef NETWORK_STACK_TEXT_H
#define NETWORK_STACK_TEXT_H

#include <jansson.h>

struct stack;
struct strv;

/* Sections with a heading each; one without entries says "none". */
void stack_lines(const struct stack *stack, struct strv *ret);
json_t *stack_json(const struct stack *stack); /* the caller owns it */

#endif

/* src/cmd/lab_print.h - what the commands that look at a lab print. */
#ifndef CMD_LAB_PRINT_H
#define CMD_LAB_PRINT_H

#include "base/json.h"

void lab_print_json(json_t *doc); /* takes it */

#endif

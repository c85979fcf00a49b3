/* src/cmd/check_options.h - the options of "image check", for the program that shows them and the
 * one that heeds them.
 */
#ifndef CMD_CHECK_OPTIONS_H
#define CMD_CHECK_OPTIONS_H

#include "base/opt.h"

struct image_check_args {
	bool repair;
};

static const struct opt image_check_opts[] = {
	OPT(struct image_check_args, repair, "repair", 0, NULL,
	    "unpack damaged layers again, or fetch them where they came from"),
	{ 0 },
};

#endif

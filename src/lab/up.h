/* src/lab/up.h - raising a lab and taking it down, with its name and its record. */
#ifndef LAB_UP_H
#define LAB_UP_H

#include "base/error.h"
#include "lab/lab.h"

struct lab_request {
	const char *root, *run_root; /* as given, or NULL */
	const char *file;
};
/* -EEXIST: it is up already.  ret_lab may be NULL; in a dry run it is set to NULL. */
int lab_up(const struct lab_request *request, struct lab **ret_lab, struct error *err) must_check;
/* what as in lab_open(); a lab whose keeper died is cleared up and that is fine. */
int lab_down(const char *run_root, const char *what, struct error *err) must_check;
/* Clears away what commands left behind that were killed, of any lab. */
void labs_clean(const char *run_root);

#endif

/* child.h: another program that takes a message over, and what became of it in words. */
#ifndef BACKSTOP_ACT_CHILD_H
#define BACKSTOP_ACT_CHILD_H

#include "base/process.h"
#include "base/status.h"

/* Runs it. Only exit code 0 is STATUS_OK; STATUS_TIMEOUT when it was ended because of the request's
 * limit, any other end is STATUS_CHILD. name: what the program is
 * called in error_out, a phrase on context, set on failure. */
enum status child_run(const void *context, const char *name, const struct process_request *request,
	const char **error_out);

#endif

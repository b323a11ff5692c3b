/*
 * process.h: running another program on a message: sendmail, a pipe: target, postconf.
 *
 * The child's standard input is a complete, seekable, memory-backed file, never a pipe: if we are
 * killed half-way, the child still reads the whole message or was never started, so no truncated
 * mail goes out.
 */
#ifndef BACKSTOP_BASE_PROCESS_H
#define BACKSTOP_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

struct process_request {
	const char *const *argv;   /* NULL-terminated; argv[0] is a path (execv), no shell */
	const char *const *env;	   /* "NAME=value", NULL-terminated, added to ours; or NULL */
	const struct bytes *input; /* pieces, written one behind the other */
	size_t input_count;
	unsigned limit_s;    /* that it may take before it is ended; 0: as long as it likes */
	size_t output_limit; /* keep at most this many bytes of stdout and stderr together; 0: none
			      */
};

struct process_result {
	int exit_code; /* -1 when a signal ended it */
	int signal;    /* 0 when it exited */
	bool is_late;  /* it was ended because of limit_s */
	char *output;  /* NUL-terminated, on the context; "" when none was kept */
};

/* Runs it and waits. STATUS_OK when it was started and ended, whatever its exit code; STATUS_CHILD
 * when it could not be started (no such file), STATUS_NO_SPACE or STATUS_IO when its input could
 * not be prepared. stdout and stderr are read to their end beyond output_limit, so the child never
 * blocks on them. With a limit the child leads a process group of its own, and SIGTERM, a second
 * later SIGKILL, goes to all of it: a wrapper's sendmail ends with the wrapper. */
enum status process_run(const void *context, const struct process_request *request,
	struct process_result *result_out);

#endif

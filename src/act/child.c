/*
 * child.c: a program's end as a status and a phrase.
 *
 * Leaves to base/process.c how a program is run. What the program prints is not repeated: the
 * phrase may end up in a mail server's reply, and other people's output has addresses in it.
 */
#include "act/child.h"

#include "base/memory.h"

enum status child_run(const void *context, const char *name, const struct process_request *request,
	const char **error_out)
{
	struct process_result result = {.exit_code = -1};
	enum status status = process_run(context, request, &result);

	if (status == STATUS_CHILD) {
		*error_out = mem_printf(context, "%s could not be started", name);
	} else if (status != STATUS_OK) {
		*error_out = mem_printf(context, "the message could not be handed to %s: %s", name,
			status_text(status));
	} else if (result.is_late) {
		*error_out = mem_printf(
			context, "%s took longer than %u seconds", name, request->limit_s);
		status = STATUS_TIMEOUT;
	} else if (result.signal != 0) {
		*error_out = mem_printf(context, "%s was ended by signal %d", name, result.signal);
		status = STATUS_CHILD;
	} else if (result.exit_code != 0) {
		*error_out = mem_printf(context, "%s exited with code %d", name, result.exit_code);
		status = STATUS_CHILD;
	}
	return status;
}

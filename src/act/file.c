/*
 * file.c: a message into a Maildir of the configuration.
 *
 * Leaves to maildir/ how that is done durably; adds the path and the reason to its error.
 */
#include "act/act.h"

#include <string.h>

#include "base/memory.h"
#include "maildir/maildir.h"

enum status file_deliver(const void *context, const char *maildir, struct bytes original,
	char **name_out, const char **error_out)
{
	const struct maildir_piece piece = {original.data, original.size};
	char name[MAILDIR_NAME_MAX] = "";
	int error = maildir_deliver(maildir, &piece, 1, name);

	if (error != 0) {
		*error_out = mem_printf(
			context, "cannot deliver into Maildir %s: %s", maildir, strerror(error));
		return status_from_errno(error);
	}
	if (name_out != NULL)
		*name_out = mem_strdup(context, name);
	return STATUS_OK;
}
